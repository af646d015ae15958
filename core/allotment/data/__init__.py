"""Data sources, datasets and versions: opened, proven read-only, lent."""
