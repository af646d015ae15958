"""JupyterHub's configuration. What to change is in the settings file, by default allotment.yaml."""

from allotment.settings import load_settings
from allotment_hub import configure
from allotment_hub.launch.place import Place
from allotment_hub.launch.wiring import wire

c = get_config()  # noqa: F821 - given by JupyterHub
place = Place.from_environment()
settings = load_settings(place.settings, place.state)
wire(c, place, settings.kubernetes)
configure(c, settings, place)
