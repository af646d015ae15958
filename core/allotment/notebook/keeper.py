"""The server's own keeper of credentials: it renews them beside the kernels, which ask it first.

The server extension listens on loopback and names itself in the environment of what it starts.
Kernels of one server share what is lent that way; without a keeper they ask the control plane.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
from pydantic import ValidationError

from allotment.client import AllotmentClient, ControlPlaneAway
from allotment.client.connection import problem
from allotment.client.paths import segment
from allotment.model.documents import SourceCredential
from allotment.model.sources import SourceKind
from allotment.notebook.lending import Ask, Lent
from allotment.notebook.problems import DataProblem

KEEPER_URL: Final = "ALLOTMENT_KEEPER_URL"
KEEPER_TOKEN: Final = "ALLOTMENT_KEEPER_TOKEN"  # noqa: S105 - the variable's name
"""The variables that tell a kernel where its server's keeper listens, and by what it knows the kernel."""
_WITHIN = 60.0
"""Seconds that a database may take to make an account."""


def lend_directly(client: AllotmentClient) -> Ask:
    """What asks the control plane itself: each of its answers is a new credential."""

    def lend(source: str, *, fresh: bool) -> SourceCredential:  # noqa: ARG001 - it always is
        return client.sources.credentials(source)

    return lend


def lend_from_keeper(environment: Mapping[str, str], client: AllotmentClient) -> Ask | None:
    """What asks the server's keeper, and the control plane where no keeper answers; None: there is no keeper."""
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

    def lend(source: str, *, fresh: bool) -> SourceCredential:
        query = {"fresh": "1"} if fresh else {}
        try:
            answer = http.post(f"/credentials/{segment(source)}", params=query)
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


def aws_environment(environment: Mapping[str, str], lent: Lent) -> dict[str, str]:
    """What programs with Amazon's libraries need in their environment; they ask the keeper themselves.

    Raises:
        DataProblem: it is no S3 source, or there is no keeper.
    """
    if lent.kind is not SourceKind.S3:
        message = f"{lent.source} is no S3 source."
        raise DataProblem(message)
    url, token = environment.get(KEEPER_URL), environment.get(KEEPER_TOKEN)
    if not url or not token:
        message = "No keeper of credentials runs here: this works in a server of the platform."
        raise DataProblem(message)
    words = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/aws/{segment(lent.source)}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
        "AWS_REGION": lent.text("region", "us-east-1"),
    }
    endpoint = lent.text("endpoint")
    return words | {"AWS_ENDPOINT_URL_S3": endpoint} if endpoint else words
