"""Panels, grid and chart of the operator console."""
