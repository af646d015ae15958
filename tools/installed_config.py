"""What a chart tells a hub before `configure_in_chart` tells it the rest; for installed_platforms.py."""

import json
import os
from typing import Any

from allotment_hub.chart import configure_in_chart
from allotment_hub.launch.programs import proxy_command

c: Any = globals()["c"]  # JupyterHub puts it there
place = json.loads(os.environ["TEST_PLACE"])
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.admin_access = True
c.JupyterHub.allow_named_servers = False
c.JupyterHub.cleanup_servers = False
c.JupyterHub.subdomain_host = f"http://jupyter.test:{place['public']}"
c.JupyterHub.bind_url = f"http://127.0.0.1:{place['public']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{place['hub']}"
c.JupyterHub.db_url = f"sqlite:///{place['folder']}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{place['folder']}/cookie-secret"
c.JupyterHub.services = [{"name": "allotment", "api_token": "of the chart"}, {"name": "another"}]
c.JupyterHub.load_roles = [{"name": "another", "scopes": ["read:hub"], "services": ["another"]}]
c.ConfigurableHTTPProxy.command = proxy_command()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{place['proxy_api']}"
c.ConfigurableHTTPProxy.auth_token = "0" * 64
c.ConfigurableHTTPProxy.pid_file = f"{place['folder']}/proxy.pid"
c.KubeSpawner.common_labels = {
    "app.kubernetes.io/name": "jupyterhub",
    "app.kubernetes.io/managed-by": "kubespawner",
}
c.KubeSpawner.extra_labels = {"hub.jupyter.org/network-access-hub": "true"}
c.KubeSpawner.mem_guarantee = "1G"
configure_in_chart(c)
