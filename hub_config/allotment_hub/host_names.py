"""Host names, where `subdomain_host` is set: one for each person's servers, and one for the platform itself."""

from __future__ import annotations

from jupyterhub.utils import subdomain_hook_idna

from allotment_hub.roles import SERVICE


def host_name(name: str, domain: str, kind: str) -> str:
    """The host name of somebody's servers, or of a service.

    The control plane stays on the hub's own: people, mails and the provider know one address of the
    platform. What runs people's own code is kept apart from it, and so are other services of the hub.
    """
    own = kind == "service" and name == SERVICE
    return domain if own else str(subdomain_hook_idna(name, domain, kind))
