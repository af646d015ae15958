"""Frozen values: the words of the product, without I/O, clock or database."""
