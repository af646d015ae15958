"""Everything a JupyterHub must be told, from one typed settings file."""
