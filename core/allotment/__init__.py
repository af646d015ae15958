"""Allotment: GPUs, quotas, people and data on JupyterHub, decided by one record."""
