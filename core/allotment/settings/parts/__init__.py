"""The parts of a configuration: what a settings file and the record can both say."""

from allotment.model.groups import Mode
from allotment.settings.parts.capacity import Groups, Pools
from allotment.settings.parts.choices import ChosenMode, DefaultGroup, coming_mode
from allotment.settings.parts.departments import Departments
from allotment.settings.parts.launching import DisabledProfiles, Limits
from allotment.settings.parts.money import Budgets
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.parts.people import Memberships, People, Roles
from allotment.settings.parts.sources import Secrets, Sources
from allotment.settings.parts.types import InstanceTypes

GROUPS = Groups()
_PARTS: tuple[Part, ...] = (
    ChosenMode(Mode.FLEXIBLE),
    Roles(),
    People(),
    Pools(),
    Departments(),
    GROUPS,
    Memberships(),
    InstanceTypes(),
    Limits(),
    Budgets(),
    DisabledProfiles(),
    DefaultGroup(),
    ChosenMode(Mode.STRICT),
)


def parts_with(secrets: Secrets | None = None) -> tuple[Part, ...]:
    """All parts, in the order in which they are made: each needs only what stands before it.

    ``secrets`` are those of declared sources; without them none can be made that has any.
    """
    return (*_PARTS, Sources(secrets))


__all__ = [
    "GROUPS",
    "Key",
    "Part",
    "Said",
    "Scene",
    "Secrets",
    "Words",
    "coming_mode",
    "parts_with",
]
