"""What the console knows of the platform now: the API's documents, by id, and which of them changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from allotment.model.documents import (
    About,
    Dataset,
    Device,
    DeviceListing,
    HealthReport,
    HomeListing,
    InstanceTypeListing,
    Me,
    Moment,
    Node,
    Overview,
    Profile,
    RefusedClaim,
    RegisteredModel,
    Release,
    Role,
    Server,
    ServerListing,
    ServiceAccount,
    SignInState,
    Software,
    Source,
    SourceForm,
    Ticket,
    TicketListing,
    TicketPlace,
    User,
    UseReport,
    UserListing,
    VersionTarget,
)
from allotment.model.people import Permission
from allotment_widgets.plot import Palette

T = TypeVar("T", Server, Device, User)


class Topic(StrEnum):
    """What can be read of the platform on its own."""

    ABOUT = "about"
    ME = "me"
    OVERVIEW = "overview"
    """Counts, pools, groups, alerts."""
    SERVERS = "servers"
    DEVICES = "devices"
    NODES = "nodes"
    USERS = "users"
    ROLES = "roles"
    PROFILES = "profiles"
    TYPES = "instance types"
    SOFTWARE = "software"
    """Versions, and which servers run which."""
    REFUSALS = "refusals"
    TICKETS = "tickets"
    """Who waits."""
    SOURCE_FORMS = "forms of sources"
    SOURCES = "sources"
    DATASETS = "datasets"
    VERSIONS = "versions"
    """Of the dataset that is looked at: only that they changed is known here."""
    TARGETS = "targets"
    MODELS = "models"
    ACCOUNTS = "service accounts"
    HOMES = "homes"
    SIGN_IN = "how people sign in"
    PARTS = "parts of the platform"
    """How each is."""
    NEWS = "news"
    """What the platform's version brought."""
    MOMENTS = "moments"
    """Use over time."""
    CLOCK = "clock"
    """Nothing was read, but time has passed: what is idle may have changed."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What is new since the last word. A topic that ``ids`` does not name changed as a whole."""

    topics: frozenset[Topic]
    ids: Mapping[Topic, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def all_of(cls, topics: Iterable[Topic]) -> Changed:
        """These topics changed as a whole."""
        return cls(frozenset(topics))

    def touches(self, *topics: Topic) -> bool:
        """Whether one of these changed."""
        return not self.topics.isdisjoint(topics)

    def parts(self, topic: Topic) -> frozenset[str] | None:
        """The ids that changed; None: look at all."""
        return self.ids.get(topic)


@dataclass
class Picture:
    """The platform as last read. Changed and read in the backend's thread only."""

    about: About | None = None
    me: Me | None = None
    overview: Overview | None = None
    servers: dict[str, Server] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    users: dict[str, User] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    profiles: tuple[Profile, ...] = ()
    types: InstanceTypeListing | None = None
    software: tuple[Software, ...] = ()
    refusals: tuple[RefusedClaim, ...] = ()
    tickets: TicketListing | None = None
    moments: tuple[Moment, ...] = ()
    source_forms: tuple[SourceForm, ...] = ()
    sources: tuple[Source, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    targets: tuple[VersionTarget, ...] = ()
    models: tuple[RegisteredModel, ...] = ()
    accounts: tuple[ServiceAccount, ...] = ()
    homes: HomeListing | None = None
    sign_in: SignInState | None = None
    parts: HealthReport | None = None
    news: tuple[Release, ...] = ()
    palette: Palette = field(default_factory=Palette)
    sequences: dict[Topic, int] = field(default_factory=dict)
    known: set[Topic] = field(default_factory=set)
    """What has been read at all: before that, nothing is not the same as none."""

    def may(self, *permissions: Permission) -> bool:
        """Whether this console's token may do all of this. What it may not is refused anyway."""
        return self.me is not None and set(permissions) <= set(self.me.permissions)

    def take_servers(self, listing: ServerListing) -> Changed:
        """Take a list of servers, or what changed of it."""
        new = {one.id: one for one in listing.items}
        return self._take(Topic.SERVERS, self.servers, new, listing)

    def take_devices(self, listing: DeviceListing) -> Changed:
        """Take a list of devices, or what changed of it."""
        new = {one.id: one for one in listing.items}
        return self._take(Topic.DEVICES, self.devices, new, listing)

    def take_users(self, listing: UserListing) -> Changed:
        """Take a list of people, or what changed of it."""
        new = {one.name: one for one in listing.items}
        return self._take(Topic.USERS, self.users, new, listing)

    def _take(
        self,
        topic: Topic,
        known: dict[str, T],
        new: dict[str, T],
        listing: ServerListing | DeviceListing | UserListing,
    ) -> Changed:
        self.sequences[topic] = listing.sequence
        self.known.add(topic)
        if listing.complete:
            known.clear()
            known.update(new)
            return Changed.all_of([topic])
        known.update(new)
        for gone in listing.removed:
            known.pop(gone, None)
        touched = frozenset(new) | frozenset(listing.removed)
        return Changed(frozenset({topic}), {topic: touched})

    def take_overview(self, overview: Overview) -> Changed:
        """Take counts, pools, groups and alerts."""
        self.overview = overview
        self.known.add(Topic.OVERVIEW)
        # By name, so that a group's colour is the same in every console.
        for group in sorted(overview.groups, key=lambda each: each.name):
            self.palette.colour(group.name)
        return Changed.all_of([Topic.OVERVIEW])

    def take_reports(self, reports: Iterable[UseReport]) -> Changed:
        """Take what servers reported; a report of a server that has ended meanwhile is left aside."""
        servers, devices = set(), set()
        for report in reports:
            server = self.servers.get(report.server)
            if server is None or server.allotment != report.allotment:
                continue
            servers.add(server.id)
            self.servers[server.id] = server.model_copy(update={"use": report})
            for use in report.devices:
                device = self.devices.get(use.id)
                if device is not None:
                    devices.add(device.id)
                    update = {"use": use, "used_at": report.at}
                    self.devices[device.id] = device.model_copy(update=update)
        ids = {Topic.SERVERS: frozenset(servers), Topic.DEVICES: frozenset(devices)}
        return Changed(frozenset(topic for topic, some in ids.items() if some), ids)

    def take_places(self, places: Mapping[str, TicketPlace]) -> Changed:
        """Take where tickets stand now; a place of a ticket that is not known is left aside."""
        listing = self.tickets
        if listing is None or not any(one.id in places for one in listing.items):
            return Changed(frozenset())
        items = tuple(
            _placed(one, places[one.id]) if one.id in places else one for one in listing.items
        )
        self.tickets = listing.model_copy(update={"items": items})
        return Changed.all_of([Topic.TICKETS])


def _placed(ticket: Ticket, place: TicketPlace) -> Ticket:
    reason = ticket.reason
    return ticket.model_copy(
        update={
            "position": place.position,
            "reason": reason and reason.model_copy(update={"message": place.reason}),
            "starts_half": place.starts_half,
            "starts_most": place.starts_most,
        }
    )


def together(changes: Iterable[Changed]) -> Changed:
    """Several changes as one."""
    topics: set[Topic] = set()
    ids: dict[Topic, frozenset[str]] = {}
    whole: set[Topic] = set()
    for change in changes:
        topics |= change.topics
        for topic in change.topics:
            parts = change.parts(topic)
            if parts is None:
                whole.add(topic)
            else:
                ids[topic] = ids.get(topic, frozenset()) | parts
    return Changed(
        frozenset(topics), {key: parts for key, parts in ids.items() if key not in whole}
    )
