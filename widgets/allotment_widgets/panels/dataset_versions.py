"""The versions of one dataset: committed, compared, tagged, and the line that loads one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape

from allotment.model.amounts import counted, format_size
from allotment.model.documents import Dataset, Version, VersionDifference, VersionFile
from allotment.model.refusals import AllotmentError
from allotment.model.versions import VersionState
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Action
from allotment_widgets.dataset_rows import VERSION_COLUMNS, version_row
from allotment_widgets.desk import Desk
from allotment_widgets.drawer import Drawer
from allotment_widgets.fields import choice_field, put, text_field, words
from allotment_widgets.grid import Grid
from allotment_widgets.lines import code_html, dataset_line
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import problem_html

_SHOWN = 200
_CHANGED = (Topic.DATASETS, Topic.VERSIONS)


class VersionsDrawer:
    """What opens below the datasets: one dataset's versions. Used in the backend's thread only."""

    def __init__(self, desk: Desk, slot: Slot) -> None:
        self._desk, self._slot = desk, slot
        self._dataset: Dataset | None = None
        self._versions: tuple[Version, ...] = ()
        self._problem, self._line, self._difference = words(), words(), words()
        self._grid = Grid(
            VERSION_COLUMNS,
            title="Versions",
            noun=("version", "versions"),
            filter_hint="Filter versions: message, tag, person",
            empty="Reading…",
            selection="many",
            actions=_actions(desk),
            max_height=380,
            row_tone="state",
        )
        self._grid.on_select(lambda _: desk.backend.soon(self._chosen))
        self._grid.on_action(lambda key, ids: desk.begin(self._ask(key, ids)))
        shown = (self._problem, self._grid, self._difference, self._line)
        self._drawer = Drawer(desk.backend, *shown)
        self._drawer.closed = self._forget
        self.view = self._drawer.view

    @property
    def dataset(self) -> str:
        """The dataset that is looked at; empty: none."""
        return "" if self._dataset is None else self._dataset.name

    @property
    def under_way(self) -> bool:
        """Whether a commit is, so that it has to be looked at again how far it is."""
        return any(one.state is VersionState.COMMITTING for one in self._versions)

    def open(self, dataset: Dataset) -> None:
        """Show the versions of a dataset."""
        self._dataset, self._versions = dataset, ()
        put(self._difference, "")
        self._grid.replace(())
        self._grid.empty = "Reading…"
        self._drawer.open(f"Versions of {dataset.name}")
        self._chosen()
        self._desk.begin(self._read())

    def close(self) -> None:
        """Show none."""
        self._drawer.close()

    def _forget(self) -> None:
        self._dataset, self._versions = None, ()

    def again(self) -> None:
        """Read them again: something happened to versions."""
        if self._dataset is not None:
            self._desk.begin(self._read())

    async def _read(self) -> None:
        dataset = self._dataset
        if dataset is None:
            return
        try:
            found = await self._desk.call(self._desk.client.versions.all, dataset.name)
        except AllotmentError as error:
            put(self._problem, problem_html(error))
            return
        if self._dataset is not dataset:
            return
        put(self._problem, "")
        self._versions = found.items
        self._grid.empty = _empty_words(dataset)
        self._grid.replace(version_row(one) for one in found.items)
        self._chosen()

    def _chosen(self) -> None:
        if self._dataset is None:
            return
        one = self._version(self._grid.selected)
        named = None if one is None else (one.tags[0] if one.tags else one.number)
        put(self._line, code_html(dataset_line(self._dataset.name, named)))

    def _version(self, ids: Sequence[str]) -> Version | None:
        return next((one for one in self._versions if str(one.number) in ids), None)

    async def _ask(self, key: str, ids: Sequence[str]) -> None:
        dataset, version = self._dataset, self._version(ids)
        if dataset is None:
            return
        if key == "difference":
            await self._compare(dataset, ids)
        elif not dataset.manages:
            self._desk.say(f"Only those who manage {dataset.name} change its versions.", "warn")
        elif key == "commit":
            _committing(self._desk, self._slot, dataset).open()
        elif version is not None:
            _tagging(self._desk, self._slot, version).open()

    async def _compare(self, dataset: Dataset, ids: Sequence[str]) -> None:
        """Of one version the difference from the one before, of several from the oldest to the newest."""
        chosen = sorted(int(one) for one in ids)
        before = chosen[0] if len(chosen) > 1 else None
        call = partial(
            self._desk.client.versions.difference, dataset.name, chosen[-1], before=before
        )
        put(self._difference, "<p class=quiet>Comparing…</p>")
        try:
            found = await self._desk.call(call)
        except AllotmentError as error:
            put(self._difference, problem_html(error))
        else:
            put(self._difference, difference_html(found))


def _actions(desk: Desk) -> list[Action]:
    compare = Action("difference", "Difference", needs="some")
    if not desk.manages_data:
        return [compare]
    commit = Action("commit", "Commit…", needs="none", tone="main")
    return [commit, compare, Action("tag", "Tag…", needs="one")]


def _empty_words(dataset: Dataset) -> str:
    if dataset.target is None:
        return "No versions are kept. Choose a target for them: Change…, Versions."
    return "No version yet. Press Commit: the files are kept as they are now."


def _committing(desk: Desk, slot: Slot, dataset: Dataset) -> Asking:
    message = text_field("What is new?", placeholder="October is complete", wide=True)

    async def act() -> str:
        call = partial(desk.client.versions.commit, dataset.name, message.value.strip())
        begun = await desk.call(call)
        desk.again(*_CHANGED)
        return f"Version {begun.number} of {dataset.name} is being committed; its row says how far it is."

    title = f"Commit a version of {dataset.name}"
    asking = Asking(desk, slot, title, confirm="Commit", act=act, fields=[message])
    if dataset.target is None:
        asking.will("It has no target for versions. Choose one first: Change…, Versions.")
        asking.enable(possible=False)
        return asking
    size = "" if dataset.reading is None else f" ({format_size(dataset.reading.size)} now)"
    asking.will(
        f"The files as they are now{size} are copied to {dataset.target}; what is there already is not copied again.",
        "If it fails half-way there is no version, and it can be committed again.",
    )
    asking.needs(message)
    return asking


def _tagging(desk: Desk, slot: Slot, version: Version) -> Asking:
    tag = text_field("Tag", placeholder="2026-10")
    remove = choice_field("Or take away", [("none", ""), *((one, one) for one in version.tags)])
    calls = desk.client.versions

    async def act() -> str:
        wanted, gone = tag.value.strip(), remove.value
        if gone:
            await desk.call(calls.untag, version.dataset, version.number, gone)
        if wanted:
            await desk.call(calls.tag, version.dataset, version.number, wanted)
        desk.again(*_CHANGED)
        said = f"Version {version.number} of {version.dataset}"
        return f"{said} is {wanted}." if wanted else f"{said} is no longer {gone}."

    title = f"Tag version {version.number} of {version.dataset}"
    fields = [tag, *([remove] if version.tags else [])]
    asking = Asking(desk, slot, title, confirm="Save", act=act, fields=fields)

    def refresh() -> None:
        wanted, committed = tag.value.strip(), version.state is VersionState.COMMITTED
        asking.enable(possible=committed and bool(wanted or remove.value))
        line = dataset_line(version.dataset, wanted or "TAG").splitlines()[-1]
        asking.will(
            f"{line} loads this version from then on; a version that has this tag now loses it."
            if committed
            else "Only a version that is committed can have a tag."
        )

    for field in (tag, remove):
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def difference_html(found: VersionDifference) -> str:
    """What is different, by the files' paths."""
    title = f"<h3>From version {found.before} to {found.after}</h3>"
    parts = (("added", found.added), ("removed", found.removed), ("changed", found.changed))
    said = [f"{counted(len(files), 'file')} {what}" for what, files in parts if files]
    rows = (
        ""
        if found.rows is None
        else f"; {abs(found.rows):,} rows {'fewer' if found.rows < 0 else 'more'}"
    )
    if not said:
        return f"{title}<p>Nothing: their files are the same{rows}.</p>"
    lists = "".join(_files_html(what, files) for what, files in parts if files)
    return f"{title}<p>{', '.join(said)}{rows}.</p>{lists}"


def _files_html(what: str, files: Sequence[VersionFile]) -> str:
    lines = "".join(
        f"<li><code>{escape(one.path)}</code> <span class=quiet>{format_size(one.size)}</span></li>"
        for one in files[:_SHOWN]
    )
    more = len(files) - _SHOWN
    rest = f"<li class=quiet>and {more} more</li>" if more > 0 else ""
    number = counted(len(files), "file")
    return f"<details><summary>{number} {what}</summary><ul>{lines}{rest}</ul></details>"
