"""Where the homes of a hub's people are, by the settings."""

from __future__ import annotations

from allotment.api.environment import ServiceEnvironment
from allotment.inventory.home_folders import HomeFolders
from allotment.record import Record
from allotment.settings import Settings
from allotment.work import claimed_homes, home_keeping
from allotment.work.claimed_homes import ClaimedHomes
from allotment.work.home_keeping import HomeKeeping, Place
from allotment.work.live_use import LiveUse
from allotment.work.loop import Step
from allotment.work.steps import Declared


def keeping_steps(
    environment: ServiceEnvironment, record: Record, use: LiveUse, declared: Declared
) -> tuple[Step, ...]:
    """What keeps homes as long as the settings say, and what takes in what servers measured of theirs."""
    known: list[Place] = []

    def place() -> Place | None:
        if not known:
            known.extend(_places(environment, declared.settings))
        return known[0] if known else None

    keeping = HomeKeeping(record, environment.hub, place, lambda: declared.settings.homes.terms)
    claimed = ClaimedHomes(record, use, environment.hub)
    return (
        Step("homes", home_keeping.EVERY, keeping.round),
        Step("claimed storage", claimed_homes.EVERY, claimed.round, everywhere=True),
    )


def _places(environment: ServiceEnvironment, settings: Settings) -> tuple[Place, ...]:
    """Where homes are: claims of a cluster, folders of the hub's, or nowhere that we keep."""
    cluster = settings.kubernetes
    if cluster is None:
        folder = environment.homes
        return () if folder is None else (HomeFolders(folder, settings.homes.archives),)
    if cluster.home.kind == "none":
        return ()
    # Not needed, and perhaps not installed, where servers are processes.
    from allotment.inventory.kubernetes.claims import ClaimedPlaces  # noqa: PLC0415
    from allotment.inventory.kubernetes.connecting import Cluster  # noqa: PLC0415

    connection = Cluster(cluster)
    shared = cluster.home.shared
    return (ClaimedPlaces(environment.hub, cluster.namespace, connection, shared),)
