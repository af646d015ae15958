"""The client: a method or a group of methods for every resource of the API."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx

from allotment.client.budgets import Budgets
from allotment.client.capacity import Devices, Nodes, Pools
from allotment.client.configuration import Configuration
from allotment.client.connection import Connection, Revision
from allotment.client.cordons import Cordons
from allotment.client.datasets import Datasets
from allotment.client.departments import Departments
from allotment.client.groups import Groups
from allotment.client.happenings import Events
from allotment.client.homes import Homes
from allotment.client.launching import Profiles, Servers
from allotment.client.models import Models
from allotment.client.people import Limits, Roles, Users
from allotment.client.planning import Planning
from allotment.client.reservations import Reservations
from allotment.client.sign_on import ServiceAccounts, SignOn
from allotment.client.simulations import Simulations
from allotment.client.software import SoftwareVersions
from allotment.client.sources import Sources
from allotment.client.targets import Targets
from allotment.client.tickets import Tickets
from allotment.client.types import InstanceTypes
from allotment.client.usage import Usage
from allotment.client.versions import Versions
from allotment.model.currency import Currency
from allotment.model.documents import (
    About,
    DriftListing,
    Explanation,
    Health,
    HealthReport,
    Me,
    MomentListing,
    Overview,
    Readiness,
    RefusedClaimListing,
    ReleaseListing,
    ReportReceipt,
    StepListing,
)
from allotment.model.groups import Mode
from allotment.model.refusals import AllotmentError
from allotment.model.reports import ServerReport


class AllotmentClient:
    """Calls the API at ``url`` (its base, ending in ``/api/v1``) with a token of the hub.

    Every method may raise :class:`~allotment.model.refusals.Refusal` or one of its kinds (with all
    reasons), :class:`~allotment.model.refusals.RevisionStale`, and ``ControlPlaneAway`` when there
    is no answer. ``timeout`` is in seconds.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(url, token, timeout=timeout, transport=transport)
        self.url = self._connection.url
        self.devices = Devices(self._connection)
        self.nodes = Nodes(self._connection)
        self.pools = Pools(self._connection)
        self.groups = Groups(self._connection)
        self.tickets = Tickets(self._connection)
        self.departments = Departments(self._connection)
        self.users = Users(self._connection)
        self.roles = Roles(self._connection)
        self.service_accounts = ServiceAccounts(self._connection)
        self.sign_on = SignOn(self._connection)
        self.limits = Limits(self._connection)
        self.reservations = Reservations(self._connection)
        self.cordons = Cordons(self._connection)
        self.homes = Homes(self._connection)
        self.profiles = Profiles(self._connection)
        self.instance_types = InstanceTypes(self._connection)
        self.software = SoftwareVersions(self._connection)
        self.servers = Servers(self._connection)
        self.events = Events(self._connection)
        self.usage = Usage(self._connection)
        self.planning = Planning(self._connection)
        self.budgets = Budgets(self._connection)
        self.simulations = Simulations(self._connection)
        self.sources = Sources(self._connection)
        self.datasets = Datasets(self._connection)
        self.versions = Versions(self._connection)
        self.targets = Targets(self._connection)
        self.models = Models(self._connection)
        self.configuration = Configuration(self._connection)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, *, timeout: float = 30.0
    ) -> Self:
        """Read the address from ``ALLOTMENT_API_URL``, the token from ``ALLOTMENT_TOKEN`` or the server's own.

        Raises:
            AllotmentError: one of them is not set.
        """
        url = environment.get("ALLOTMENT_API_URL")
        token = environment.get("ALLOTMENT_TOKEN") or environment.get("JUPYTERHUB_API_TOKEN")
        if not url:
            message = "ALLOTMENT_API_URL is not set: there is no control plane to ask."
            raise AllotmentError(message)
        if not token:
            message = "Neither ALLOTMENT_TOKEN nor JUPYTERHUB_API_TOKEN is set. Make a token on the hub's token page."
            raise AllotmentError(message)
        return cls(url, token, timeout=timeout)

    def close(self) -> None:
        """Close every connection; a request under way fails."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def about(self) -> About:
        """Which platform this is."""
        return self._connection.read(About, "/about")

    def currency(self) -> Currency:
        """The currency that the platform's money is in; of a platform that does not answer none."""
        try:
            about = self.about()
        except AllotmentError:
            return Currency()
        return Currency(about.currency, about.currency_sign)

    def choose(
        self,
        *,
        revision: Revision,
        mode: Mode | None = None,
        default_group: str | None = None,
    ) -> About:
        """Choose the platform's mode, and the group that is proposed for new people (empty: none).

        What is None stays.
        """
        body: dict[str, object] = {} if mode is None else {"mode": str(mode)}
        if default_group is not None:
            body["default_group"] = default_group or None
        return self._connection.send(About, "PATCH", "/about", body, revision=revision)

    def health(self) -> Health:
        """Whether the control plane answers."""
        return self._connection.read(Health, "/health")

    def parts(self) -> HealthReport:
        """How each part of the platform is, in words; it takes seconds where one is away."""
        return self._connection.read(HealthReport, "/health/parts")

    def news(self) -> ReleaseListing:
        """What each version of the platform brought, the newest first."""
        return self._connection.read(ReleaseListing, "/about/news")

    def readiness(self) -> Readiness:
        """Whether the control plane can decide and act. Raises ControlPlaneAway where it cannot."""
        return self._connection.read(Readiness, "/ready")

    def work(self) -> StepListing:
        """The periodic work, and how it goes."""
        return self._connection.read(StepListing, "/work")

    def me(self) -> Me:
        """What the owner of the token may do and holds, and what binds."""
        return self._connection.read(Me, "/me")

    def overview(self) -> Overview:
        """Capacity, use, alerts and the latest refusals, of one moment."""
        return self._connection.read(Overview, "/overview")

    def use(self, *, hours: float = 24, points: int = 288) -> MomentListing:
        """Devices held, and held and idle, against capacity over the last hours."""
        return self._connection.read(MomentListing, "/use", hours=hours, points=points)

    def refusals(self, *, limit: int = 50) -> RefusedClaimListing:
        """The latest launches that were refused or would have had to wait, newest first."""
        return self._connection.read(RefusedClaimListing, "/refusals", limit=limit)

    def drift(self) -> DriftListing:
        """Servers that run though the record cannot account for them."""
        return self._connection.read_all(DriftListing, "/drift")

    def explain(
        self,
        person: str,
        profile: str,
        *,
        group: str | None = None,
        server: str = "",
        software: str | None = None,
    ) -> Explanation:
        """Whether a person may launch a profile now; if not, every rule in the way, and what would help."""
        return self._connection.read(
            Explanation,
            "/explain",
            person=person,
            profile=profile,
            group=group,
            server=server,
            software=software,
        )

    def report(self, report: ServerReport) -> ReportReceipt:
        """Report what this server does and uses; the answer tells its announced ends. Only a server's own token can."""
        return self._connection.send(
            ReportReceipt, "POST", "/reports", report.model_dump(mode="json")
        )

    def metrics(self) -> str:
        """The platform's metrics as Prometheus reads them."""
        return self._connection.request("GET", "/metrics").text
