"""The directory that keeps people here (SCIM 2.0): whether it may, and what its ids mean."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from allotment.model.names import PersonName


class Scim(BaseModel):
    """A directory may on-board people and let them go, with the token of a service account.

    ``external_id_is_subject``: the directory's ``externalId`` is the subject by which the sign-in's
    provider knows the same person, so that nobody is ever known by a name. ``heir`` takes over the
    homes of whom the directory lets go; left out, homes are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    external_id_is_subject: bool = False
    heir: PersonName | None = None
