"""Where the homes of a hub's people are, by the settings."""

from __future__ import annotations

from allotment.api.environment import ServiceEnvironment
from allotment.inventory.home_folders import HomeFolders
from allotment.record import Record
from allotment.work.home_keeping import EVERY, HomeKeeping
from allotment.work.loop import Step
from allotment.work.steps import Declared


def keeping_step(environment: ServiceEnvironment, record: Record, declared: Declared) -> Step:
    """The step that keeps homes as long as the settings say: those that are folders of the hub's."""

    def place() -> HomeFolders | None:
        folder = environment.homes
        return None if folder is None else HomeFolders(folder, declared.settings.homes.archives)

    keeping = HomeKeeping(record, environment.hub, place, lambda: declared.settings.homes.terms)
    return Step("homes", EVERY, keeping.round)
