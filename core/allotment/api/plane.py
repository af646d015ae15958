"""What every part of the control plane shares while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from allotment.model.refusals import NotPermitted
from allotment.record import Record
from allotment.record.prospects import Prospects
from allotment.rules.permission import NOTHING, Action, Caller, Target, judge
from allotment.settings import Settings
from allotment.settings.scim import Scim
from allotment.settings.sign_on import SignIn
from allotment.simulate.running import Simulations
from allotment.work.cloud import CloudLimits
from allotment.work.data_work import DataWork
from allotment.work.endings import Endings
from allotment.work.errands import Errands
from allotment.work.hub_api import HubApi
from allotment.work.live_use import LiveUse
from allotment.work.loop import Loop
from allotment.work.presence import Attendance
from allotment.work.queueing import Queueing
from allotment.work.software_told import SoftwareTold
from allotment.work.waits_told import WaitsTold

if TYPE_CHECKING:
    from allotment.api.environment import ServiceEnvironment
    from allotment.api.feed import EventFeed
    from allotment.api.measures import Measures


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The parts, and the clock. ``clock`` answers aware UTC times."""

    environment: ServiceEnvironment
    record: Record
    hub: HubApi
    use: LiveUse
    endings: Endings
    queueing: Queueing
    errands: Errands
    simulations: Simulations
    cloud: CloudLimits
    data: DataWork
    prospects: Prospects
    waits: WaitsTold
    software: SoftwareTold
    loop: Loop
    feed: EventFeed
    measures: Measures
    clock: Callable[[], datetime]
    started_at: datetime
    trust: str
    """Whom people's servers are protected from, in words."""
    system_users: bool = False
    """Whether each person's servers run under a system user of their own."""
    sign_in: SignIn = field(default_factory=SignIn)
    """How people sign in: what the provider's groups mean."""
    scim: Scim | None = None
    """What a directory may keep here; None: nothing."""
    settings: Settings = field(default_factory=Settings)
    """What the settings file said when it was read; of one that is broken since, what an empty one says."""
    cluster: Callable[[], str] | None = None
    """Asks the cluster in which servers run for its version; None: they are processes of this machine."""
    attendance: Attendance | None = None
    """What it says of itself in the record; None: nothing."""

    def now(self) -> datetime:
        """The time now, UTC."""
        return self.clock()


def _plane(request: Request) -> ControlPlane:
    return cast("ControlPlane", request.app.state.plane)


def _caller(request: Request) -> Caller:
    return cast("Caller", request.state.caller)


Plane = Annotated[ControlPlane, Depends(_plane)]
"""The control plane, in a route's signature."""
Asker = Annotated[Caller, Depends(_caller)]
"""Who asks, in a route's signature: authenticated before the route was reached."""


def require(caller: Caller, action: Action, target: Target = NOTHING) -> None:
    """Go on only where the caller may do this.

    Raises:
        NotPermitted: with why, and what would help.
    """
    reason = judge(caller, action, target)
    if reason is not None:
        raise NotPermitted(reason)
