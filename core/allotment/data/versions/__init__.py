"""Versions of datasets, kept as DVC keeps them: histories in git, contents by their MD5 in a store."""
