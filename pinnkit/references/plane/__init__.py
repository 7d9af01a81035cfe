"""Reference solutions on rectangles, steady or in time, by spectral collocation in two space coordinates."""
