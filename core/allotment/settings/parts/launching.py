"""What one person may hold, and which profiles are not offered."""

from __future__ import annotations

from allotment.model.limits import LimitKind, LimitScope
from allotment.record import Writing, limits, profiles
from allotment.settings.document import Place
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.schema import DeclaredLimits, Settings


class Limits(Part):
    """Limits. Named as in events: ``scope/subject/kind``."""

    kind = "limit"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        given = settings.limits
        said = _limits(LimitScope.PLATFORM, "", given.defaults, ("limits", "defaults"))
        for name, each in given.groups.items():
            said |= _limits(LimitScope.GROUP, name, each, ("limits", "groups", name))
        for name, each in given.people.items():
            said |= _limits(LimitScope.PERSON, name, each, ("limits", "people", name))
        return said

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name."""
        return {
            f"{limit.scope}/{limit.subject}/{limit.kind}": {"value": limit.value}
            for limit in limits.all_limits(scene.reading)
        }

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - its name says it
        """The group or the person that it binds."""
        scope, subject, _ = _parted(name)
        return () if scope is LimitScope.PLATFORM else ((str(scope), subject),)

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Set a limit."""
        limits.put(writing, *_parted(name), words["value"])

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Set a limit to another value."""
        self.make(writing, name, words)


def _parted(name: str) -> tuple[LimitScope, str, LimitKind]:
    scope, rest = name.split("/", 1)
    subject, kind = rest.rsplit("/", 1)
    return LimitScope(scope), subject, LimitKind(kind)


def _limits(
    scope: LimitScope, subject: str, given: DeclaredLimits, place: Place
) -> dict[str, Said]:
    return {
        f"{scope}/{subject}/{kind}": Said({"value": value}, (*place, str(kind)))
        for kind in LimitKind
        for value in [getattr(given, kind)]
        if value is not None
    }


class DisabledProfiles(Part):
    """Profiles that are published and not offered."""

    kind = "profile"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        return {
            name: Said({"enabled": False}, ("disabled_profiles", index))
            for index, name in enumerate(settings.disabled_profiles)
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """Profiles that are disabled."""
        return {
            profile.name: {"enabled": False}
            for profile in profiles.all_profiles(scene.reading)
            if not profile.enabled and not profile.retired
        }

    def hindrance(self, name: str, scene: Scene) -> str:
        """A profile that no file publishes cannot be disabled."""
        published = profiles.all_profiles(scene.reading)
        known = any(profile.name == name and not profile.retired for profile in published)
        return "" if known else f"no file publishes a profile {name!r}"

    def make(self, writing: Writing, name: str, words: Words) -> None:  # noqa: ARG002 - being named says it
        """Offer a profile to nobody."""
        profiles.set_enabled(writing, name, enabled=False)

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Offer a profile to nobody: there is no other change."""
        self.make(writing, name, words)
