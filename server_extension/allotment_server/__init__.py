"""Jupyter Server extension: what a server tells its user and reports to the control plane."""
