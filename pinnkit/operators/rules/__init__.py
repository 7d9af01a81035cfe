"""Rules of Taylor mode: what each ATen operation does with jets."""
