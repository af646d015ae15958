"""Everything a JupyterHub must be told, from one typed settings file."""

from allotment_hub.configure import configure

__all__ = ["configure"]
