"""How long homes are kept without a server, and what becomes of them then, as the settings say it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from allotment.model.durations import Duration
from allotment.model.homes import HomeEnd, HomeTerms
from allotment.settings.entries import Entry, Wrong

_CLAIM_OF_GROUPS = (
    "servers are pods: say in kubernetes.home.groups which claim of storage groups share"
)


class HomeSettings(BaseModel):
    """A home is kept for ``keep`` after its person's last server was deleted; left out: for ever.

    Its person is warned ``warn`` before. ``archives`` is the folder that homes are packed into.
    ``groups`` is the folder below which each group has one that its people share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    keep: Duration | None = Field(default=None, gt=timedelta(0))
    warn: Duration = Field(default=HomeTerms().warn, gt=timedelta(0))
    then: HomeEnd = HomeEnd.REMOVE
    archives: Path | None = None
    groups: Path | None = None

    @property
    def terms(self) -> HomeTerms:
        """What the periodic work goes by."""
        return HomeTerms(self.keep, self.warn, self.then)

    def beside(self, folder: Path) -> HomeSettings:
        """The same, with its folders looked for from that of the settings."""
        named = {"archives": self.archives, "groups": self.groups}
        placed = {key: (folder / one).resolve() for key, one in named.items() if one is not None}
        return self.model_copy(update=placed)


def homes(top: Entry) -> Iterator[Wrong]:
    """What is said of homes that does not fit the servers that there are."""
    said = top.inner("homes")
    if top.inner("servers").value.get("system_users") is True:
        for key in ("keep", "archives"):
            if said.value.get(key) is not None:
                message = "homes of system users belong to the machine's accounts, which are kept by whoever runs it"
                yield ("homes", key), message
        return
    if isinstance(top.value.get("kubernetes"), dict):
        # What is in a claim of storage is reached by its own pods only.
        message = "homes of pods are claims of storage: they are removed, and not packed into files"
        if said.value.get("then") == HomeEnd.ARCHIVE:
            yield ("homes", "then"), message
        if said.value.get("archives") is not None:
            yield ("homes", "archives"), message
        if said.value.get("groups") is not None:
            yield ("homes", "groups"), _CLAIM_OF_GROUPS
        return
    if said.value.get("then") == HomeEnd.ARCHIVE and said.value.get("archives") is None:
        yield ("homes", "then"), "needs homes.archives: the folder where archives are kept"
