"""Where files lie, as people write it: ``s3://bucket/key``, ``azure://container/path`` or a path."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Source, SourceKind

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
_WILD = re.compile(r"[*?]")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class DataUri:
    """One URI of a dataset, taken apart.

    ``place`` is the bucket or container, empty for a path of this machine; ``path`` the key below it, or
    the absolute path. ``account`` is the storage account, where an ``abfs`` URI names it.
    """

    kind: SourceKind
    place: str
    path: str
    account: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether it holds ``*`` or ``?``."""
        return _WILD.search(self.path) is not None

    @property
    def is_folder(self) -> bool:
        """Whether it means everything below it."""
        return self.path == "" or self.path.endswith("/")

    @property
    def folder(self) -> str:
        """The part up to the last ``/`` before any wildcard: all its files lie below it."""
        wild = _WILD.search(self.path)
        plain = self.path[: wild.start()] if wild else self.path
        return plain[: plain.rfind("/") + 1]

    def matches(self, path: str) -> bool:
        """Whether a file is meant: itself, below the folder, or by the pattern (``**`` crosses folders)."""
        if self.is_pattern:
            return _pattern(self.path).matches(path)
        return path.startswith(self.path) if self.is_folder else path == self.path

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
        place, _, host = place.partition("@")
        account = host.partition(".")[0]
    if not _PLACE.fullmatch(place) or "@" in place:
        raise _refused(
            text, f"names no {_PLACES[kind]}", f"Write {_WRITTEN[kind]}://{_PLACES[kind]}/path."
        )
    _check_steps(text, path)
    return DataUri(kind, place, path, account)


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
    account = str(fields.get("account", ""))
    if uri.account and account and uri.account != account:
        return False
    here = uri.place == fields.get(_PLACES[kind])
    return here and uri.path.startswith(_prefix(fields))


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
    return DataUri(
        SourceKind.FOLDER, "", f"{plain}/" if path.endswith("/") and plain != "/" else plain
    )


def _check_steps(text: str, path: str) -> None:
    if any(step in {"..", "."} for step in path.split("/")):
        raise _refused(
            text, "steps to another folder by '.' or '..'", "Write where it lies itself."
        )


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern as a machine that is in several places of it at once: a bit for each place.

    A regular expression would try every way in which its stars can share a path: with a dozen of them
    that takes hours, during which nothing else runs. Here each sign is looked at once.

    ``follows`` are, by sign, the places that it leads on from, ``any`` those where ``?`` stands for one;
    at ``crosses`` and ``stays`` there is a ``**`` or a ``*``, which take a sign and stay.
    """

    follows: Mapping[str, int]
    any: int
    crosses: int
    stays: int
    end: int

    @classmethod
    def of(cls, pattern: str) -> _Pattern:
        """Read a pattern: ``*`` stays in its folder, ``**`` and what follows does not."""
        follows: dict[str, int] = {}
        any_sign = crosses = stays = 0
        place = 1
        for step in _STEP.findall(pattern):
            if step.startswith("**"):
                crosses |= place
            elif step == "*":
                stays |= place
            else:
                if step == "?":
                    any_sign |= place
                else:
                    follows[step] = follows.get(step, 0) | place
                place <<= 1
        return cls(follows, any_sign, crosses, stays, place)

    def matches(self, path: str) -> bool:
        """Whether the whole path is meant."""
        places = 1
        for sign in path:
            leads, stay = self.follows.get(sign, 0), self.crosses
            if sign != "/":
                leads, stay = leads | self.any, stay | self.stays
            places = (places & leads) << 1 | places & stay
            if not places:
                return False
        return bool(places & self.end)


_STEP = re.compile(r"\*\*/?|.", re.DOTALL)
_pattern = lru_cache(256)(_Pattern.of)


def _refused(text: str, why: str, remedy: str) -> SourceProblem:
    shown = text[:_SHOWN]
    return SourceProblem(f"{shown!r} {why}.", remedy=remedy, rule=Rule.DATA_PATH)
