"""Where files lie, as people write it: ``s3://bucket/key``, ``azure://container/path`` or a path."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from allotment.data.datasets import patterns
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Part, Source, SourceKind

MOST_URIS = 1_000
"""A dataset names at most so many; for more files there are folders and patterns."""
LONGEST_URI = 2_048
_SCHEMES = {
    "s3": SourceKind.S3,
    "s3a": SourceKind.S3,
    "azure": SourceKind.AZURE,
    "az": SourceKind.AZURE,
    "abfs": SourceKind.AZURE,
    "abfss": SourceKind.AZURE,
    "gs": SourceKind.GCS,
    "gcs": SourceKind.GCS,
    "file": SourceKind.FOLDER,
}
_WRITTEN = {
    SourceKind.S3: "s3",
    SourceKind.AZURE: "azure",
    SourceKind.GCS: "gs",
}
_PLACES = {SourceKind.S3: "bucket", SourceKind.AZURE: "container", SourceKind.GCS: "bucket"}
"""What the first part of a URI is called, which is also the field of a source that names it."""
_PLACE = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]{0,254}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?", re.ASCII)
_CLOUDS = ("core.windows.net", "core.usgovcloudapi.net", "core.chinacloudapi.cn")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class DataUri:
    """One URI of a dataset, taken apart.

    ``place`` is the bucket or container, empty for a path of this machine; ``path`` the key below it, or
    the absolute path. Of a pattern it is written as people do; else each sign of it stands for itself.
    ``account`` is the storage account's host, or just its name, where an ``abfs`` URI names it.
    """

    kind: SourceKind
    place: str
    path: str
    account: str = ""
    is_pattern: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it means everything below it."""
        return not self.is_pattern and (self.path == "" or self.path.endswith("/"))

    @property
    def folder(self) -> str:
        """The part up to the last ``/`` before any wildcard: all its files lie below it."""
        return self.start[: self.start.rfind("/") + 1]

    @property
    def start(self) -> str:
        """What all its files' paths begin with: the path, of a pattern the part before any wildcard."""
        return patterns.beginning(self.path) if self.is_pattern else self.path

    def matches(self, path: str) -> bool:
        """Whether a file is meant: itself, below the folder, or by the pattern (``**`` crosses folders)."""
        if self.is_pattern:
            return patterns.pattern(self.path).matches(path)
        return path.startswith(self.path) if self.is_folder else path == self.path

    def file(self, path: str) -> DataUri:
        """The URI of a file that was found by this one."""
        return DataUri(self.kind, self.place, path, self.account)

    def __str__(self) -> str:
        return written(self.kind, self.place, self.path)


def written(kind: SourceKind, place: str, path: str) -> str:
    """The URI of a file, in the one way in which answers write it; a path of this machine stays a path."""
    return path if kind is SourceKind.FOLDER else f"{_WRITTEN[kind]}://{place}/{path}"


def parse(text: str) -> DataUri:
    """Take a URI apart. What it names is not opened.

    Raises:
        SourceProblem: it is no URI that this platform reads, or steps out of a folder by ``..``.
    """
    if len(text) > LONGEST_URI or not text.isprintable() or not text:
        raise _refused(text, "is no URI", f"It has 1 to {LONGEST_URI} printable characters.")
    scheme, found, rest = text.partition("://")
    if not found:
        return _path(text, text)
    kind = _SCHEMES.get(scheme.lower())
    if kind is None:
        known = ", ".join(f"{one}://" for one in ("s3", "azure", "abfs", "gs", "file"))
        raise _refused(text, f"begins with {scheme[:20]}://", f"What can be read is {known}.")
    if kind is SourceKind.FOLDER:
        return _path(text, unquote(rest.removeprefix("localhost")))
    place, _, path = rest.partition("/")
    account = ""
    if kind is SourceKind.AZURE and "@" in place:
        place, _, account = place.partition("@")
        if not _HOST.fullmatch(account):
            remedy = "Write abfs://container@account.dfs.core.windows.net/path."
            raise _refused(text, "names no storage account", remedy)
    if not _PLACE.fullmatch(place):
        raise _refused(
            text, f"names no {_PLACES[kind]}", f"Write {_WRITTEN[kind]}://{_PLACES[kind]}/path."
        )
    _check_steps(text, path)
    return _of(kind, place, path, account.lower())


def parse_all(texts: Iterable[str]) -> tuple[DataUri, ...]:
    """Take the URIs of one dataset apart: at least one, all of one kind.

    Raises:
        SourceProblem: one cannot be read, there are none or too many, or they are of several kinds.
    """
    uris = tuple(dict.fromkeys(parse(text) for text in texts))
    if not uris:
        raise SourceProblem("A dataset needs a URI.", remedy="Name a file, a folder or a pattern.")
    if len(uris) > MOST_URIS:
        raise SourceProblem(
            f"There are {len(uris):,} URIs; a dataset has at most {MOST_URIS:,}.",
            remedy="Name a folder (ending in /) or a pattern (with *) instead.",
        )
    kinds = sorted({uri.kind.value for uri in uris})
    if len(kinds) > 1:
        raise SourceProblem(
            f"The URIs are of several kinds: {', '.join(kinds)}.",
            remedy="Register one dataset for each.",
        )
    return uris


def parts_of_store(uris: Iterable[DataUri]) -> tuple[Part, ...]:
    """The parts of a bucket or container that hold all files of these URIs."""
    return tuple(Part(one.start, exact=not (one.is_folder or one.is_pattern)) for one in uris)


def base_of(uris: Iterable[DataUri]) -> tuple[str, str]:
    """The place and folder below which all files of these URIs lie.

    A file's path within a dataset is what follows it. It depends on the URIs only, so that a new file
    changes no other file's path.
    """
    listed = tuple(uris)
    if len({uri.place for uri in listed}) > 1:
        return "", ""
    folders = [uri.folder.split("/")[:-1] for uri in listed]
    shared: list[str] = []
    for steps in zip(*folders, strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    return listed[0].place, "/".join([*shared, ""]) if shared else ""


def path_within(base: tuple[str, str], place: str, path: str) -> str:
    """A file's path within its dataset."""
    base_place, folder = base
    return path.removeprefix(folder) if base_place == place else f"{place}/{path.lstrip('/')}"


def covering(uris: Iterable[DataUri], sources: Iterable[Source]) -> tuple[Source, ...]:
    """The sources through which all of these URIs can be read, those of the longest prefix first."""
    listed = tuple(uris)
    found = [one for one in sources if all(covers(one.kind, one.fields, uri) for uri in listed)]
    return tuple(sorted(found, key=lambda one: (-len(_prefix(one.fields)), one.name)))


def covers(kind: SourceKind, fields: Mapping[str, object], uri: DataUri) -> bool:
    """Whether a URI lies in what a source of these fields opens."""
    if kind is not uri.kind:
        return False
    if kind is SourceKind.FOLDER:
        root = str(fields.get("path", "")).rstrip("/") + "/"
        return uri.folder.startswith(root)
    if uri.account and not is_account(uri.account, fields):
        return False
    here = uri.place == fields.get(_PLACES[kind])
    return here and (uri.folder if uri.is_pattern else uri.path).startswith(_prefix(fields))


def is_account(host: str, fields: Mapping[str, object]) -> bool:
    """Whether a URI's host is the storage account that these fields open.

    It has a name for blobs (``blob``) and one for folders (``dfs``), and a private endpoint may have any.
    A source that was registered by a connection string may not say its account: its credentials do.
    """
    account = str(fields.get("account") or "").lower()
    parts = urlsplit(str(fields.get("endpoint") or ""))
    if not account and not parts.hostname:
        return True
    reached = parts.hostname or f"{account}.blob.core.windows.net"
    account = account or reached.partition(".")[0]
    if host in {account, reached, parts.netloc.lower()}:
        return True
    name, _, service = host.partition(".")
    public = {f"{one}.{cloud}" for one in ("blob", "dfs") for cloud in _CLOUDS}
    at_home = reached.partition(".")[2].removeprefix("blob.").removeprefix("dfs.")
    return name == account and service in {*public, f"blob.{at_home}", f"dfs.{at_home}"}


def _prefix(fields: Mapping[str, object]) -> str:
    prefix = str(fields.get("prefix") or "").strip("/")
    return f"{prefix}/" if prefix else ""


def _path(text: str, path: str) -> DataUri:
    if not path.startswith("/"):
        raise _refused(
            text, "is neither a URI nor an absolute path", "Write a path of this machine from / on."
        )
    _check_steps(text, path)
    plain = posixpath.normpath(path)
    # normpath keeps two leading slashes, which POSIX lets mean something else.
    plain = "/" + plain.lstrip("/")
    return _of(SourceKind.FOLDER, "", f"{plain}/" if path.endswith("/") and plain != "/" else plain)


def _of(kind: SourceKind, place: str, path: str, account: str = "") -> DataUri:
    if patterns.is_pattern(path):
        return DataUri(kind, place, path, account, is_pattern=True)
    return DataUri(kind, place, patterns.unescaped(path), account)


def _check_steps(text: str, path: str) -> None:
    if any(step in {"..", "."} for step in path.split("/")):
        raise _refused(
            text, "steps to another folder by '.' or '..'", "Write where it lies itself."
        )


def _refused(text: str, why: str, remedy: str) -> SourceProblem:
    shown = text[:_SHOWN]
    return SourceProblem(f"{shown!r} {why}.", remedy=remedy, rule=Rule.DATA_PATH)
