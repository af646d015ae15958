"""Instance types, and the quotas of a cloud."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.documents.launching import ServerOutcome


class InstanceType(Document):
    """A machine of a cloud that profiles name, with what is used of its limits."""

    name: str = Field(examples=["g5.xlarge"])
    title: str = ""
    price: Decimal | None = Field(
        default=None, description="Per hour, for profiles without a price of their own"
    )
    limit: int | None = Field(default=None, description="Instances at most, as typed in")
    vcpus: int | None = Field(default=None, description="vCPUs that one takes of its quota")
    quota: str | None = Field(default=None, description="The quota's code", examples=["L-DB2E81BA"])
    enabled: bool
    held: int = Field(description="Instances that servers take now")
    most: int | None = Field(
        default=None,
        description="The limit that binds now, in instances; None: nothing limits them",
    )
    source: str = Field(examples=["typed in"], description="Where the limit that binds comes from")
    percent: int = Field(description="How much of the limit is used")
    warning: str = Field(default="", description="Said from 80 % of the limit on")
    profiles: tuple[str, ...] = Field(default=(), description="Published profiles that name it")
    revision: int


class Quota(Document):
    """What a cloud said last of one of its quotas."""

    code: str = Field(examples=["L-DB2E81BA"])
    region: str
    title: str
    unit: str = Field(examples=["vCPU"])
    value: int | None = Field(default=None, description="The limit; None: it was never read")
    used: int | None = Field(default=None, description="What the whole account uses")
    held: int | None = Field(
        default=None, description="What the platform's own servers take of it, where that is known"
    )
    read_at: datetime | None = Field(default=None, description="When it was read last")
    tried_at: datetime
    problem: str = Field(default="", description="Why the last attempt to read it failed")
    warning: str = Field(default="", description="Said from 80 % on, and where it cannot be read")


class InstanceTypeListing(Listing):
    """Instance types, by name, with the quotas of the account. ``region`` is None where none is configured."""

    items: tuple[InstanceType, ...]
    quotas: tuple[Quota, ...] = ()
    region: str | None = None
    warnings: tuple[str, ...] = Field(
        default=(), description="What should be known of several types or of none"
    )


class InstanceTypeRevocation(Document):
    """An instance type that was disabled, and the servers that were stopped because they held it."""

    instance_type: InstanceType
    outcomes: tuple[ServerOutcome, ...]
