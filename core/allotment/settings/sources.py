"""Sources as the settings declare them: what opens each, and where its secrets are. Never the secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from allotment.model.names import Name, PersonName
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.sources import Audience, SourceKind

MOST_CHARACTERS = 200_000
"""Of a secret: as many as the form takes."""
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SecretPlace(_Section):
    """Where a secret is: in a file, or in a variable of the environment that reads it."""

    file: Path | None = None
    variable: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")

    @model_validator(mode="after")
    def _agrees(self) -> SecretPlace:
        if (self.file is None) == (self.variable is None):
            message = "expected file or variable, one of them: where it is, never the secret itself"
            raise ValueError(message)
        return self

    @property
    def words(self) -> dict[str, str]:
        """The place as it is written."""
        return (
            {"variable": self.variable} if self.variable is not None else {"file": f"{self.file}"}
        )

    def beside(self, folder: Path) -> SecretPlace:
        """The same, with a file looked for from a folder: that of the settings."""
        return self if self.file is None else self.model_copy(update={"file": folder / self.file})

    def read(self, environment: Mapping[str, str] = os.environ) -> str:
        """The secret, without the end of its last line.

        Raises:
            ValueError: it is not there, or longer than a form takes; the message holds nothing of it.
        """
        if self.file is None:
            found = environment.get(self.variable or "", "")
            where = f"the variable {self.variable}"
        else:
            found, where = _contents(self.file), f"the file {self.file}"
        if not found:
            message = f"{where} is not set" if self.file is None else f"{where} is empty"
            raise ValueError(message)
        if len(found) > MOST_CHARACTERS:
            message = f"{where} holds more than {MOST_CHARACTERS} characters"
            raise ValueError(message)
        return found


def _contents(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(MOST_CHARACTERS + 2).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        message = f"the file {file} cannot be read: {why}"
        raise ValueError(message) from None


class DeclaredAudience(_Section):
    """Who may use something: everyone, or some groups and people."""

    everyone: bool = False
    groups: tuple[Name, ...] = ()
    people: tuple[PersonName, ...] = ()

    @property
    def audience(self) -> Audience:
        """The audience, each named once."""
        return Audience(
            self.everyone, tuple(sorted(set(self.groups))), tuple(sorted(set(self.people)))
        )


class DeclaredSource(_Section):
    """A database, a bucket or a folder. ``fields`` are those of its kind's form that are no secrets."""

    name: Name
    kind: SourceKind
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=10_000)
    fields: dict[
        FieldName,
        Annotated[str | int | bool, Field(description="text, a whole number, or true or false")],
    ] = Field(default_factory=dict)
    secrets: dict[
        FieldName,
        Annotated[
            SecretPlace,
            Field(description="{variable: …} or {file: …}: where it is, never the secret itself"),
        ],
    ] = Field(default_factory=dict)
    audience: DeclaredAudience = DeclaredAudience()
    group: Name | None = None
    enabled: bool = True

    def beside(self, folder: Path) -> DeclaredSource:
        """The same, with the files of its secrets looked for from a folder."""
        placed = {name: one.beside(folder) for name, one in self.secrets.items()}
        return self.model_copy(update={"secrets": placed})


def read_secrets(
    declared: Iterable[DeclaredSource], environment: Mapping[str, str] = os.environ
) -> Callable[[str], Mapping[str, str]]:
    """What reads the secrets of a declared source, by its name, from where they are.

    It refuses, with a reason for each secret that is not there.
    """
    by_name = {one.name: one.secrets for one in declared}

    def read(name: str) -> Mapping[str, str]:
        found: dict[str, str] = {}
        reasons = []
        for field, place in by_name.get(name, {}).items():
            try:
                found[field] = place.read(environment)
            except ValueError as error:
                message = f"The secret {field} of source {name!r} cannot be read: {error}."
                reasons.append(Reason(Rule.SETTINGS, message, details=(field,)))
        if reasons:
            raise Refusal(*reasons)
        return found

    return read
