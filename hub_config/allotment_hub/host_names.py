"""Host names, where `subdomain_host` is set: one for each person's servers, and one for the platform itself."""

from __future__ import annotations

from jupyterhub.utils import subdomain_hook_idna


def host_name(name: str, domain: str, kind: str) -> str:
    """The host name of somebody's servers, or of a service.

    The control plane stays on the hub's own: people, mails and the provider know one address of the
    platform. Only what runs people's own code is kept apart from it.
    """
    return domain if kind == "service" else str(subdomain_hook_idna(name, domain, kind))
