"""Hard conditions: what they prescribe, and functions that meet them for every network."""
