"""Pure functions: what is granted, refused, permitted. No I/O, no clock, no randomness."""
