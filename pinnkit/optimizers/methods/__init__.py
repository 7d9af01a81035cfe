"""Methods of optimization, one or a family a file: their settings, and how they are built."""
