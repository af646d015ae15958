"""A hub for tests and benchmarks: hubs.py starts it, and says in TEST_PLACE where it lives."""

import json
import os
from typing import Any, ClassVar

from jupyterhub import __version__
from jupyterhub.proxy import Proxy

from allotment_hub.launch.hub_database import engine_options
from allotment_spawner.access import refuse_shares_of_the_console


class Routes(Proxy):
    """Remembers routes and sends nobody anywhere: who asks the hub itself needs no proxy."""

    should_start = False
    known: ClassVar[dict[str, dict[str, Any]]] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        """Remember a route."""
        self.known[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        """Forget a route."""
        self.known.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, dict[str, Any]]:
        """All routes."""
        return self.known


c: Any = globals()["c"]  # JupyterHub puts it there
place = json.loads(os.environ["TEST_PLACE"])
c.JupyterHub.proxy_class = Routes
c.JupyterHub.bind_url = f"http://127.0.0.1:{place['public']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{place['port']}"
c.JupyterHub.db_url = f"sqlite:///{place['folder']}/hub.sqlite"
c.JupyterHub.db_kwargs = engine_options()
c.JupyterHub.cookie_secret_file = f"{place['folder']}/cookie-secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.spawner_class = "allotment-local"
c.JupyterHub.services = [{"name": "tests", "api_token": place["admin"], "admin": True}]
c.JupyterHub.custom_scopes = {"custom:allotment:operate": {"description": "Operate Allotment"}}
c.JupyterHub.load_roles = [
    {
        "name": "user",
        "scopes": ["self", "shares!user", "read:users:name", "custom:allotment:operate"],
    }
]
refuse_shares_of_the_console()
c.AllotmentMixin.record_url = place["record"]
c.AllotmentMixin.hub_id = place["hub"]
c.AllotmentMixin.allotment_api_url = "http://127.0.0.1:9/services/allotment/api/v1"
c.SimpleLocalProcessSpawner.home_dir_template = f"{place['folder']}/homes/{{username}}"
c.LocalServer.console_homes = f"{place['folder']}/consoles"
c.LocalServer.leftover_grace = 0.5
c.LocalServer.python_environments = [f"{place['folder']}/environments"]
c.Spawner.cmd = place["command"]
c.Spawner.poll_interval = 1
c.Spawner.environment = {"TINY_HUB_VERSION": __version__}
exec(place["extra"])  # noqa: S102 - what one test wants otherwise
