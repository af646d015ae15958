"""Kubeconfigs for people: how their computers reach the cluster, and how long one holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from allotment.model.durations import Duration
from allotment.model.pod_settings import DnsLabel

SHORTEST = timedelta(minutes=10)
"""The cluster gives no token that ends earlier."""


def _secure(text: str) -> str:
    found = urlsplit(text)
    if found.scheme != "https" or not found.hostname:
        message = (
            f"expected an address such as https://cluster.example.org:6443, found {text[:80]!r}"
        )
        raise ValueError(message)
    return text.rstrip("/")


class Kubeconfigs(BaseModel):
    """Where people's own computers reach the cluster's API. Without this section nobody is given a kubeconfig.

    ``certificate_authority`` is the file with the certificate that the API's is signed by, where no
    public authority signed it. ``accounts`` is the namespace of people's service accounts: the hub may
    make tokens of every account in it, so it has none but those.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    server: Annotated[str, AfterValidator(_secure)]
    certificate_authority: Path | None = None
    accounts: DnsLabel = "jupyterhub-people"
    lasts: Duration = Field(default=timedelta(hours=1), ge=SHORTEST, le=timedelta(hours=24))

    def beside(self, folder: Path) -> Kubeconfigs:
        """The same, with its file looked for from a folder: that of the settings."""
        if self.certificate_authority is None:
            return self
        found = folder / self.certificate_authority
        return self.model_copy(update={"certificate_authority": found})
