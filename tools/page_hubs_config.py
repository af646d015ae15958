"""The configuration of the hubs in page_hubs.py: the real one, without the control plane."""

from typing import Any

from jupyterhub import __version__

from allotment.settings import load_settings
from allotment_hub import configure
from allotment_hub.launch.place import Place
from allotment_hub.launch.wiring import wire

c: Any = globals()["c"]  # JupyterHub puts it there
place = Place.from_environment()
wire(c, place)
configure(c, load_settings(place.settings, place.state), place)
c.JupyterHub.services = []
c.JupyterHub.load_roles = []
c.JupyterHub.authenticate_prometheus = False
c.LocalServer.leftover_grace = 0.5
c.JupyterHub.tornado_settings = {"slow_stop_timeout": 0.5}
c.LocalProcessSpawner.interrupt_timeout = 3
c.LocalProcessSpawner.term_timeout = 1
c.Spawner.environment = {"TINY_HUB_VERSION": __version__}
