"""What a server's tokens may do, and who may open it. Decided by the server's name alone.

JupyterHub asks for a token's scopes before it knows the options of the launch. Admission ties the
name of the operator console to its profile, so the name is enough.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from jupyterhub import orm
from tornado import web

from allotment.model.names import CONSOLE_SERVER

OPERATE_SCOPE = "custom:allotment:operate"
"""A token with it acts with all of its owner's permissions; without it, as a data scientist."""

_ORDINARY = (
    "users:activity!user",
    "access:servers!server",
    "access:services!service=allotment",
)


def token_scopes(server: str) -> list[str]:
    """The scopes of a server's own token. Only the console's may operate."""
    return [*_ORDINARY, OPERATE_SCOPE] if server == CONSOLE_SERVER else list(_ORDINARY)


def access_scopes(person: str, server: str) -> list[str]:
    """The scopes of which a visitor of a server needs one.

    A share grants access to one server by name. For the console that is not enough: it is opened
    with access to all servers of its owner, which no share can grant.
    """
    own = f"access:servers!user={person}"
    return [own] if server == CONSOLE_SERVER else [f"access:servers!server={person}/{server}", own]


def browser_scopes(person: str, server: str) -> list[str]:
    """The scopes that a visitor's browser asks for beside access to the server itself."""
    return [f"access:servers!user={person}"] if server == CONSOLE_SERVER else []


def _refuse_console(_target: object, _args: object, values: dict[str, Any]) -> None:
    spawner = values.get("spawner")
    if spawner is not None and spawner.name == CONSOLE_SERVER:
        raise web.HTTPError(403, "The operator console is never shared: it acts for its owner.")


def refuse_shares_of_the_console() -> None:
    """Let JupyterHub refuse to make a share, or a code for one, of a server named ``console``.

    JupyterHub has no hook for it. The refusal falls when the row is constructed, before the
    database's session knows of it. May be called again.
    """
    for kind in (orm.Share, orm.ShareCode):
        if not sqlalchemy.event.contains(kind, "init", _refuse_console):
            sqlalchemy.event.listen(kind, "init", _refuse_console)
