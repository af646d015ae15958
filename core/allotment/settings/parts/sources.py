"""Sources, as the settings declare them. Their secrets are read from where the settings say, and sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from allotment.data.forms import Filled, fill, read_fields, with_defaults
from allotment.data.kinds.kind import Opened
from allotment.data.opening import known_kind
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal, SettingsInvalid
from allotment.model.sources import Audience, Source, SourceKind
from allotment.record import Writing, sources
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.schema import Settings
from allotment.settings.sources import DeclaredSource

FIELD = "fields."
"""Stands before the names of a form's fields, among the words of a source."""


def _no_secrets(_name: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of declared sources: where they come from, and how they are kept.

    ``of`` gives those of a source by its name, or refuses; ``seal`` encrypts one.
    """

    of: Callable[[str], Mapping[str, str]] = field(default=_no_secrets, repr=False)
    seal: Callable[[str], bytes] | None = None

    def sealed(self, filled: Filled) -> dict[str, bytes | None]:
        """The secrets of a form as the record keeps them.

        Raises:
            Refusal: none can be kept from here.
        """
        if filled.secrets and self.seal is None:
            raise Refusal(_NO_KEYS)
        return {
            name: None if one is None or self.seal is None else self.seal(one)
            for name, one in filled.secrets.items()
        }


class Sources(Part):
    """Databases, buckets and folders. They are proven read-only once the control plane runs."""

    kind = "source"

    def __init__(self, secrets: Secrets | None = None) -> None:
        self._secrets = secrets or Secrets()

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name.

        Raises:
            SettingsInvalid: a field is not one of its kind's form, or a secret stands in the file.
        """
        problems = tuple(source_problems(settings))
        if problems:
            raise SettingsInvalid(problems)
        return {
            one.name: Said(_words(one), ("sources", index))
            for index, one in enumerate(settings.sources)
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name."""
        return {one.name: _found(one) for one in sources.all_sources(scene.reading)}

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - its words say all
        """Whom it is shared with, and the group whose leads manage it."""
        audience = words.get("audience", {})
        groups = {*audience.get("groups", ()), *filter(None, [words.get("group")])}
        return (
            *(("group", one) for one in sorted(groups)),
            *(("person", one) for one in audience.get("people", ())),
        )

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Register a source."""
        source = _described(Source(name, SourceKind(words["kind"])), words)
        filled = fill(known_kind(source.kind).fields, {**_fields(words), **self._secrets.of(name)})
        source = replace(source, fields=dict(filled.fields), secrets=filled.names)
        _validate(source, {key: one for key, one in filled.secrets.items() if one is not None})
        sealed = self._secrets.sealed(filled)
        sources.create(writing, source, {k: one for k, one in sealed.items() if one is not None})

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Change what the words give; where it leads somewhere else, its secrets are read again."""
        before = sources.get(writing, name)
        kind = SourceKind(words.get("kind", before.kind))
        source = _described(replace(before, kind=kind), words)
        if kind is not before.kind or not _fields(words):
            sources.edit(writing, source, {})
            return
        _refuse_while_lent(writing, name)
        given = {**_fields(words), **self._secrets.of(name)}
        form = known_kind(kind).fields
        filled = fill(form, given, before.fields, before.secrets, may_widen=True)
        source = replace(source, fields=dict(filled.fields), secrets=filled.names)
        if not filled.kept:
            # What stays as it was entered was looked at then, and cannot be read here.
            _validate(source, {key: one for key, one in filled.secrets.items() if one is not None})
        sources.edit(writing, source, self._secrets.sealed(filled))


def source_problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the fields and secrets of declared sources, each with its place."""
    for index, one in enumerate(settings.sources):
        form = known_kind(one.kind).fields
        secret = {each.name for each in form if each.type == "secret"}
        for name in sorted(secret & set(one.fields)):
            yield _problem(settings, index, "fields", name, _IN_THE_FILE)
        given = {name: value for name, value in one.fields.items() if name not in secret}
        for reason in read_fields(form, given)[1]:
            yield _problem(settings, index, "fields", reason.details[0], reason.sentence)
        for name in sorted(set(one.secrets) - secret):
            known = f"its secrets are {', '.join(sorted(secret))}" if secret else "it has none"
            yield _problem(settings, index, "secrets", name, f"is no secret of this kind; {known}")


_IN_THE_FILE = (
    "is a secret, and secrets do not stand in this file: say under secrets in which variable or "
    "file it is"
)


def _problem(settings: Settings, index: int, part: str, name: str, message: str) -> str:
    return f"{settings.where(('sources', index, part, name))}: {message}"


def _words(one: DeclaredSource) -> Words:
    """What the file gives of a source; of its secrets, where they are."""
    given = one.model_fields_set - {"name", "fields", "secrets", "audience"}
    words: Words = one.model_dump(mode="json", include={"kind", *given})
    if "audience" in one.model_fields_set:
        words["audience"] = audience_words(one.audience.audience)
    fields, _ = read_fields(known_kind(one.kind).fields, one.fields)
    words |= {f"{FIELD}{name}": value for name, value in fields.items()}
    if one.secrets:
        words["secrets"] = {name: place.words for name, place in sorted(one.secrets.items())}
    return words


def _found(source: Source) -> Words:
    fields = with_defaults(known_kind(source.kind).fields, source.fields)
    return {
        "kind": str(source.kind),
        "title": source.title,
        "description": source.description,
        "audience": audience_words(source.audience),
        "group": source.group,
        "enabled": source.enabled,
        **{f"{FIELD}{name}": value for name, value in fields.items()},
    }


def audience_words(audience: Audience) -> Words:
    """An audience as it is written: only what it names."""
    words = {
        "everyone": audience.everyone,
        "groups": list(audience.groups),
        "people": list(audience.people),
    }
    return {key: value for key, value in words.items() if value}


def _described(source: Source, words: Words) -> Source:
    """A source with what the words give of it, its form aside."""
    given: dict[str, Any] = {
        key: words[key] for key in ("title", "description", "group", "enabled") if key in words
    }
    if "audience" in words:
        said = words["audience"]
        given["audience"] = Audience(
            bool(said.get("everyone")), tuple(said.get("groups", ())), tuple(said.get("people", ()))
        )
    return replace(source, **given)


def _fields(words: Words) -> Words:
    return {key.removeprefix(FIELD): value for key, value in words.items() if key.startswith(FIELD)}


def _validate(source: Source, secrets: Mapping[str, str]) -> None:
    """Have its kind look at all of it."""
    opened = Opened(source.name, dict(source.fields), secrets)
    known_kind(source.kind).validate(opened)


def _refuse_while_lent(writing: Writing, name: str) -> None:
    """Keep a source where it is while accounts are out: afterwards nobody could drop them."""
    number = sources.accounts_lent(writing, name)
    if number:
        message = (
            f"Source {name!r} cannot lead elsewhere now: servers have {number} of its accounts."
        )
        remedy = "Revoke it, and apply this again a minute later; or change it in the console."
        raise Refusal(Reason(Rule.DATA_SOURCE, message, limit=0, used=number, remedy=remedy))


_NO_KEYS = Reason(
    Rule.SETTINGS,
    "The keys of the platform's secrets are not known here.",
    remedy="Apply it through the control plane (without --record), or start the hub with it.",
)
