"""The settings file as values: every key, what it may be, and what it is when left out.

A key is here only if something happens because of it.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta, tzinfo
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
)

from allotment.model.budgets import BudgetTerms
from allotment.model.currency import Currency
from allotment.model.devices import DeviceOrigin, DeviceSpec, Isolation
from allotment.model.durations import Duration
from allotment.model.instance_types import QUOTA_CODE
from allotment.model.mail import check_address
from allotment.model.names import Name, PersonName
from allotment.model.nodes import NodeRule
from allotment.model.people import BuiltInRole, Permission
from allotment.model.profiles import Memory, Price
from allotment.model.sharing import PoolPolicy
from allotment.settings.control_plane import ControlPlane
from allotment.settings.data import STATE, DataSettings
from allotment.settings.document import Document, Place, key_words
from allotment.settings.homes import HomeSettings
from allotment.settings.kubernetes import KubernetesSettings
from allotment.settings.logs import LogSettings
from allotment.settings.mail import MailServer
from allotment.settings.record import VARIABLE_NAME
from allotment.settings.scim import Scim
from allotment.settings.sign_on import SignIn
from allotment.settings.sources import DeclaredSource

__all__ = ["STATE", "Settings", "as_document"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Title = Annotated[str, StringConstraints(max_length=200)]
TagName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TagValue = Annotated[str, StringConstraints(max_length=2000)]
DeviceId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S+$")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class DeclaredDevice(_Section):
    """A device as the settings know it, for machines that cannot look themselves.

    ``memory`` is in bytes; ``node`` left out is this machine; ``uuid`` is the driver's name for it,
    found by itself where it can be.
    """

    id: DeviceId
    model: str = Field(min_length=1, max_length=200)
    memory: Memory = Field(gt=0, description="an amount of memory such as 80GiB")
    node: DeviceId | None = None
    uuid: DeviceId | None = None
    isolation: Isolation = Isolation.COOPERATIVE

    def spec(self) -> DeviceSpec:
        """The device as the record takes it in."""
        return DeviceSpec(
            id=self.id,
            node=self.node or socket.gethostname(),
            model=self.model,
            memory=self.memory,
            uuid=self.uuid or "",
            origin=DeviceOrigin.SETTINGS,
            isolation=self.isolation,
        )


class DeclaredPool(_Section):
    """A pool of devices of one model. What no pool names is in the default pool.

    ``model`` is needed only for a pool that has no devices yet. ``nodes`` instead of devices: what
    is on these nodes of the cluster, now and later. The rest says how it is shared; of the default
    pool only that can be said.
    """

    name: Name
    devices: tuple[DeviceId, ...] = ()
    nodes: NodeRule | None = Field(
        default=None, description="which nodes of the cluster: selector, names, or both"
    )
    model: str = Field(default="", max_length=200)
    sharing: bool = False
    minimum_runtime: Duration = Field(default=PoolPolicy().minimum_runtime, ge=timedelta(0))
    grace: Duration = Field(default=PoolPolicy().grace, ge=timedelta(0))
    protect_after: Duration = Field(default=PoolPolicy().protect_after, ge=timedelta(0))

    @property
    def policy(self) -> dict[str, Any]:
        """What the file says of how it is shared; what it leaves out is not said."""
        given = self.model_fields_set & set(PoolPolicy.model_fields)
        return self.model_dump(mode="json", include=given)


class DeclaredShare(_Section):
    """What a group has in a pool, in devices. ``ceiling`` left out is the guarantee."""

    pool: Name
    guaranteed: Count
    ceiling: Count | None = None
    weight: float = Field(default=1.0, gt=0, le=1_000_000)


class Member(_Section):
    """A person in a group, perhaps until a time: one without a zone is in the platform's."""

    name: PersonName
    until: datetime | None = Field(
        default=None, description="a time, such as 2027-01-31T18:00 or 2027-01-31T18:00Z"
    )


class DeclaredDepartment(_Section):
    """Groups whose ceilings bind together. ``ceilings``: by pool, the most devices of all its groups."""

    name: Name
    title: Title = ""
    ceilings: dict[Name, Count] = Field(default_factory=dict)


class DeclaredGroup(_Section):
    """People with a share. A lead is a member, named as one or not."""

    name: Name
    title: Title = ""
    tags: dict[TagName, TagValue] = Field(default_factory=dict)
    shares: tuple[DeclaredShare, ...] = ()
    department: Name | None = None
    members: tuple[
        Annotated[
            PersonName | Member, Field(description="a person's name, or {name: …, until: …}")
        ],
        ...,
    ] = ()
    leads: tuple[PersonName, ...] = ()

    @property
    def people(self) -> tuple[Member, ...]:
        """Everybody in the group, leads included, each once."""
        written = [Member(name=one) if isinstance(one, str) else one for one in self.members]
        named = {member.name: member for member in written}
        return tuple(
            (named | {lead: named.get(lead, Member(name=lead)) for lead in self.leads}).values()
        )


class DeclaredLimits(_Section):
    """What one person may hold. What is left out is limited elsewhere, or not at all."""

    devices: Count | None = None
    servers: Count | None = None
    servers_existing: Count | None = None
    instances: Count | None = None
    storage: Count | None = None
    models: Count | None = None


class Limits(_Section):
    """Limits for everybody, for people of a group, and for single people; the narrowest binds."""

    defaults: DeclaredLimits = DeclaredLimits()
    groups: dict[Name, DeclaredLimits] = Field(default_factory=dict)
    people: dict[PersonName, DeclaredLimits] = Field(default_factory=dict)


class Budgets(_Section):
    """What people, groups and departments may use; each may have one.

    Who has none of their own has that of ``members`` of the group that pays, else that of
    ``everybody``.
    """

    everybody: BudgetTerms | None = None
    members: dict[Name, BudgetTerms] = Field(default_factory=dict)
    groups: dict[Name, BudgetTerms] = Field(default_factory=dict)
    people: dict[PersonName, BudgetTerms] = Field(default_factory=dict)
    departments: dict[Name, BudgetTerms] = Field(default_factory=dict)


class DeclaredInstanceType(_Section):
    """A machine of a cloud that profiles may name. ``limit`` is in instances, ``price`` per hour.

    ``vcpus`` and ``quota`` are read from AWS, where it is configured and they are left out.
    """

    name: Name
    title: Title = ""
    price: Price | None = None
    limit: Count | None = None
    vcpus: Annotated[int, Field(gt=0, le=100_000)] | None = None
    quota: Annotated[str, StringConstraints(pattern=QUOTA_CODE)] | None = None
    enabled: bool = True


class Aws(_Section):
    """The AWS account whose limits are read: its region, and which profile of the AWS configuration."""

    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$")]
    profile: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None


class DeclaredPerson(_Section):
    """Somebody whom the platform knows, in a group or none."""

    role: Name = BuiltInRole.DATA_SCIENTIST
    email: Annotated[str, AfterValidator(check_address)] | None = None


class Servers(_Section):
    """How people's servers are started."""

    command: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=("jupyterhub-singleuser",), min_length=1
    )
    system_users: bool = False
    """Each under the system user of its owner's name; the hub must run as root."""
    python_environments: tuple[Path, ...] = Field(
        default=(), description="folders below which profiles may name Python environments"
    )


def _address(text: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError:
        message = f"expected an IP address of this machine, such as 127.0.0.1, found {text[:60]!r}"
        raise ValueError(message) from None


def _time_zone(name: str) -> str:
    # A machine without a database of time zones still knows this one.
    if name != "UTC" and name not in available_timezones():
        message = f"expected a time zone such as Europe/Berlin, found {name[:60]!r}"
        raise ValueError(message)
    return name


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def _sign(text: str) -> str:
    if not text.isprintable() or text != text.strip() or any(one.isdigit() for one in text):
        message = "expected a short word or sign without digits, such as € or credits"
        raise ValueError(message)
    return text


class DeclaredCurrency(_Section):
    """In what money is written: a code, and the sign that stands before amounts."""

    code: CurrencyCode
    sign: Annotated[str, StringConstraints(min_length=1, max_length=8), AfterValidator(_sign)] = ""


class Settings(_Section):
    """Everything that a platform's settings file says. A frozen value; an empty file is valid."""

    mode: Literal["strict", "flexible"] = "strict"
    organisation: Title = ""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    currency: CurrencyCode | DeclaredCurrency | None = Field(
        default=None, description="a code such as EUR, or {code: EUR, sign: €}"
    )
    bind: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    sign_in: SignIn = SignIn()
    devices: tuple[DeclaredDevice, ...] | None = Field(
        default=None, description="a list of devices, or nothing, for them to be discovered"
    )
    pools: tuple[DeclaredPool, ...] = ()
    roles: dict[Name, tuple[Permission, ...]] = Field(default_factory=dict)
    people: dict[PersonName, DeclaredPerson] = Field(default_factory=dict)
    departments: tuple[DeclaredDepartment, ...] = ()
    groups: tuple[DeclaredGroup, ...] = ()
    default_group: Name | None = None
    limits: Limits = Limits()
    budgets: Budgets = Budgets()
    instance_types: tuple[DeclaredInstanceType, ...] = ()
    sources: tuple[DeclaredSource, ...] = ()
    aws: Aws | None = None
    profiles: tuple[Path, ...] = ()
    disabled_profiles: tuple[Name, ...] = ()
    servers: Servers = Servers()
    homes: HomeSettings = HomeSettings()
    mail: MailServer | None = Field(
        default=None, description="a mail server: host and sender at least"
    )
    scim: Scim | None = Field(
        default=None, description="a section, perhaps empty ({}), for a directory to keep people"
    )
    data: DataSettings = DataSettings()
    logs: LogSettings = LogSettings()
    kubernetes: KubernetesSettings | None = Field(
        default=None, description="a cluster: namespace and image at least"
    )
    control_plane: ControlPlane | None = Field(
        default=None,
        description="a control plane that the hub does not start: url, public_url, token",
    )
    record: str = Field(default=f"sqlite:///{STATE}/record.sqlite", repr=False)
    record_password_file: Path | None = None
    record_password_variable: str | None = Field(default=None, pattern=VARIABLE_NAME)
    hub: Name = "hub"

    _document: Document | None = PrivateAttr(default=None)

    @property
    def zone(self) -> tzinfo:
        """The platform's time zone: that of times in the file which name none."""
        return UTC if self.time_zone == "UTC" else ZoneInfo(self.time_zone)

    @property
    def money(self) -> Currency:
        """The currency that prices, costs and budgets are in."""
        said = self.currency
        if said is None or isinstance(said, str):
            return Currency.of(said or "")
        return Currency.of(said.code, said.sign)

    @property
    def loopback_only(self) -> bool:
        """Whether only programs of this machine can reach the hub."""
        return ip_address(self.bind).is_loopback

    @property
    def servers_apart(self) -> bool:
        """Whether people's servers are protected from each other: pods, or system users of their own."""
        return self.kubernetes is not None or self.servers.system_users

    @property
    def file(self) -> Path | None:
        """The file that these settings were read from."""
        return None if self._document is None else Path(self._document.file)

    def found_in(self, document: Document) -> Settings:
        """The same settings, knowing where each was written."""
        self._document = document
        return self

    def where(self, place: Place) -> str:
        """Where something was written, as ``file:line: key``; the key alone where no file is known."""
        if self._document is None:
            return key_words(place)
        return str(self._document.problem(place, "")).removesuffix(": ")

    @property
    def declared_people(self) -> dict[str, str]:
        """Everybody whom the file names as somebody who may sign in, with the role it gives."""
        named = (person.name for group in self.groups for person in group.people)
        roles = dict.fromkeys(named, str(BuiltInRole.DATA_SCIENTIST))
        roles |= {name: str(person.role) for name, person in self.people.items()}
        return roles | dict.fromkeys(self.sign_in.named, str(BuiltInRole.OPERATOR))

    def declared_devices(self) -> tuple[DeviceSpec, ...] | None:
        """The devices that the file declares; None where they are to be discovered."""
        return None if self.devices is None else tuple(device.spec() for device in self.devices)


def as_document(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, with what was left out left out."""
    return settings.model_dump(mode="json", exclude_unset=True)
