"""The parts of a configuration: what a settings file and the record can both say."""

from allotment.model.groups import Mode
from allotment.settings.parts.capacity import Groups, Pools
from allotment.settings.parts.choices import ChosenMode, DefaultGroup, coming_mode
from allotment.settings.parts.departments import Departments
from allotment.settings.parts.launching import DisabledProfiles, Limits
from allotment.settings.parts.money import Budgets
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.parts.people import Memberships, People, Roles
from allotment.settings.parts.types import InstanceTypes

GROUPS = Groups()
PARTS: tuple[Part, ...] = (
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
"""In the order in which they are made: each needs only what stands before it."""

__all__ = ["GROUPS", "PARTS", "Key", "Part", "Said", "Scene", "Words", "coming_mode"]
