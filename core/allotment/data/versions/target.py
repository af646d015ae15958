"""A target with its secrets: where histories and contents of versions are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from allotment.data.kinds.kind import FormField, Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import SourceKind
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget

METADATA, CONTENTS = "metadata.", "contents."
"""Before the names of secrets, so that both halves of a target may have one of a name."""
METADATA_FIELDS: Mapping[MetadataKind, tuple[FormField, ...]] = {
    MetadataKind.FOLDER: (
        FormField(
            "path",
            "Folder",
            "A folder of the control plane's machine, empty or made by this platform before. It becomes "
            "a git repository, which DVC's own programs can read.",
            required=True,
            placeholder="/srv/versions",
        ),
    ),
    MetadataKind.GIT: (
        FormField(
            "url",
            "URL",
            "A repository that is reached by HTTP. Without a name or password in it.",
            required=True,
            placeholder="https://git.example.com/data/versions.git",
        ),
        FormField("branch", "Branch", "Versions become commits of this branch.", default="main"),
        FormField(
            "username",
            "User name",
            "GitHub and GitLab take any name together with a token.",
            default="git",
        ),
        FormField("token", "Token", "It needs to read and to push.", type="secret"),
        FormField(
            "ca",
            "Certificate authority",
            "PEM of who signed the server's certificate, if it is not a public one.",
            type="long",
        ),
    ),
}
"""What is asked for the histories. Contents ask what a source of their kind does."""
SOURCE_KINDS: Mapping[ContentsKind, SourceKind] = {
    ContentsKind.FOLDER: SourceKind.FOLDER,
    ContentsKind.S3: SourceKind.S3,
    ContentsKind.GCS: SourceKind.GCS,
}


@dataclass(frozen=True, slots=True)
class OpenedTarget:
    """A target in memory, for as long as one call lasts. ``secrets`` have the names of the vault."""

    target: VersionTarget
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Its name."""
        return self.target.name

    @property
    def source_kind(self) -> SourceKind:
        """The kind of source that its contents are, so that a server can be lent them."""
        return SOURCE_KINDS[self.target.contents_kind]

    def metadata_secret(self, name: str) -> str:
        """A secret of the histories, empty where it is not set."""
        return self.secrets.get(METADATA + name, "")

    def contents_source(self, space: str = "") -> Opened:
        """Its contents as a source: whole, or what is kept in one space and nothing else."""
        fields: dict[str, Any] = dict(self.target.contents)
        if self.target.contents_kind is ContentsKind.FOLDER:
            root = str(fields.get("path", "")).rstrip("/")
            fields["path"] = f"{root}/{space}" if space else root
        else:
            fields["prefix"] = self.prefix(space)
        secrets = {
            name.removeprefix(CONTENTS): value
            for name, value in self.secrets.items()
            if name.startswith(CONTENTS)
        }
        return Opened(self.target.name, fields, secrets)

    def prefix(self, space: str = "") -> str:
        """What the keys of a bucket begin with, empty or ending in ``/``."""
        steps = [str(self.target.contents.get("prefix") or "").strip("/"), space]
        return "".join(f"{step}/" for step in steps if step)


def validate(target: VersionTarget) -> None:
    """Refuse a target that lacks what it cannot do without.

    Raises:
        SourceProblem: a field is missing.
    """
    for one in METADATA_FIELDS[target.metadata_kind]:
        if one.required and not target.metadata.get(one.name):
            raise SourceProblem(
                f"The target {target.name!r} needs {one.label.lower()} for its histories.",
                remedy=one.help,
            )
