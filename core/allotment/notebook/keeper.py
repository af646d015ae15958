"""The server's own keeper of credentials: it renews them beside the kernels, which ask it first.

The server extension listens on loopback and names itself in the environment of what it starts.
Kernels of one server share what is lent that way; without a keeper they ask the control plane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import httpx
from pydantic import ValidationError

from allotment.client import AllotmentClient, ControlPlaneAway
from allotment.client.connection import problem
from allotment.client.paths import segment
from allotment.model.documents import SourceCredential

KEEPER_URL: Final = "ALLOTMENT_KEEPER_URL"
KEEPER_TOKEN: Final = "ALLOTMENT_KEEPER_TOKEN"  # noqa: S105 - the variable's name
"""The variables that tell a kernel where its server's keeper listens, and by what it knows the kernel."""
_WITHIN = 60.0
"""Seconds that a database may take to make an account."""


def lend_from_keeper(
    environment: Mapping[str, str], client: AllotmentClient
) -> Callable[[str], SourceCredential] | None:
    """What asks the server's keeper for a credential, and the control plane where no keeper answers."""
    url, token = environment.get(KEEPER_URL), environment.get(KEEPER_TOKEN)
    if not url or not token:
        return None
    http = httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=_WITHIN,
        trust_env=False,
        verify=False,  # noqa: S501 - plain HTTP on loopback
    )

    def lend(source: str) -> SourceCredential:
        try:
            answer = http.post(f"/credentials/{segment(source)}")
        except httpx.HTTPError:
            return client.sources.credentials(source)
        if not answer.is_success:
            raise problem(answer)
        try:
            return SourceCredential.model_validate_json(answer.content)
        except ValidationError:
            message = "This server's keeper of credentials answered what cannot be read. Restart the server."
            raise ControlPlaneAway(message) from None

    return lend
