"""Finding and removing what a dataset's space keeps and no version of it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions import layout
from allotment.data.versions.contents import KeptObject, open_contents
from allotment.data.versions.history import History
from allotment.data.versions.target import OpenedTarget
from allotment.model.reasons import Rule
from allotment.model.versions import Version, VersionFile

_AT_ONCE = 16
"""Objects that are deleted at a time."""
_BATCH = 256
"""Objects after which it is looked whether time is left."""

Files = Callable[[Version], Iterable[VersionFile]]


def needed_by(
    versions: Iterable[Version],
    opened: Callable[[str], OpenedTarget],
    files: Files,
    door: Door,
    work: Path,
) -> frozenset[str]:
    """The keys, within their space, of everything that loading these versions reads.

    Those of versions in other targets count too: they may lie in the same place.

    Raises:
        SourceProblem: of one of them it cannot be told. Then nothing may be removed.
    """
    histories: dict[str, History] = {}
    keys: set[str] = set()
    for version in versions:
        if version.target not in histories:
            histories[version.target] = History(opened(version.target), door, work)
        try:
            pointer = histories[version.target].pointer(version.space, version.commit)
            tree = layout.tree_of(pointer)
        except ValueError:
            raise SourceProblem(
                f"What version {version.number} of {version.dataset!r} needs cannot be told: its "
                "history is broken. Nothing of the dataset is removed.",
                remedy="Ask an operator whether somebody else writes into the target.",
                rule=Rule.DATA_VERSION,
            ) from None
        keys |= {layout.object_key(tree), layout.sizes_key(tree)}
        keys.update(layout.object_key(one.md5) for one in files(version))
    return frozenset(keys)


def not_needed(
    opened: OpenedTarget, space: str, needed: Collection[str], door: Door
) -> tuple[KeptObject, ...]:
    """What a space keeps beside what is needed.

    Raises:
        SourceProblem: the target refused to list it.
    """
    with closing(open_contents(opened, door, space)) as contents:
        return tuple(one for one in contents.all() if one.key not in needed)


def remove(
    opened: OpenedTarget, space: str, objects: Iterable[KeptObject], door: Door, seconds: float
) -> tuple[KeptObject, ...]:
    """Delete objects of a space for at most so long; answers those that are gone.

    Raises:
        SourceProblem: the target refused; some of them may be gone.
    """
    ends, rest = time.monotonic() + seconds, iter(objects)
    gone: list[KeptObject] = []
    with (
        closing(open_contents(opened, door, space)) as contents,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        while time.monotonic() < ends and (batch := tuple(islice(rest, _BATCH))):
            list(pool.map(lambda one: contents.drop(one.key), batch))
            gone += batch
        if next(rest, None) is None:
            contents.emptied()
    return tuple(gone)
