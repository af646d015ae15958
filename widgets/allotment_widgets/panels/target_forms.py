"""Forms for targets: setting one up, changing it, no longer using it, deleting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from allotment.model.amounts import counted, format_size
from allotment.model.documents import (
    SourceField,
    TargetCleaning,
    TargetForm,
    Unneeded,
    VersionTarget,
)
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, helped, text_field, words
from allotment_widgets.form_fields import FormFields
from allotment_widgets.panels import registered
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import counted_as, listed

CHANGED = (Topic.TARGETS, Topic.DATASETS)
HISTORY = {"folder": "A folder", "git": "A git repository"}
CONTENTS = {
    "folder": "A folder",
    "s3": "Amazon S3 or a store that speaks as it does",
    "gcs": "Google Cloud Storage",
}
_TOLD = 8
_PARTS = ("metadata", "contents")
_WORDS: Mapping[str, Mapping[str, str]] = {"metadata": HISTORY, "contents": CONTENTS}
_NAME_HELP = "What datasets name it by: lower-case letters, digits, '-', '_' and '.'."


def setting_up(desk: Desk, slot: Slot, forms: tuple[TargetForm, ...]) -> Asking:
    """The form that sets a target up."""
    return TargetEditing(desk, slot, forms, None).asking


def changing(
    desk: Desk, slot: Slot, forms: tuple[TargetForm, ...], target: VersionTarget
) -> Asking:
    """The form that changes a target."""
    return TargetEditing(desk, slot, forms, target).asking


class TargetEditing:
    """The form: where the history is kept, and where the files are."""

    def __init__(
        self,
        desk: Desk,
        slot: Slot,
        forms: tuple[TargetForm, ...],
        before: VersionTarget | None,
    ) -> None:
        self._desk, self._before = desk, before
        self._forms: dict[tuple[str, str], tuple[SourceField, ...]] = {
            (each.part, each.kind): each.fields for each in forms
        }
        self._name = text_field("Name", placeholder="history")
        self._title = text_field(
            "Title", before.title if before else "", placeholder="Versions, company bucket"
        )
        self._kinds = {
            "metadata": choice_field("History is kept in", self._options("metadata")),
            "contents": choice_field("Files are kept in", self._options("contents")),
        }
        self._fields = {part: self._fields_of(part) for part in _PARTS}
        self.asking = Asking(
            desk,
            slot,
            f"Change {before.name}" if before else "Set up a target for versions",
            confirm="Save" if before else "Set up",
            act=self._act,
            fields=[words()],
        )
        self.asking.closed = self._forget
        self.asking.refresh = self._refresh
        for field in (self._name, self._title):
            field.observe(lambda _: desk.backend.soon(self._refresh), "value")
        for part, field in self._kinds.items():
            field.observe(
                lambda _, part=part: desk.backend.soon(lambda: self._other(part)), "value"
            )
        self._arrange()
        self._refresh()

    def _options(self, part: str) -> list[tuple[str, str]]:
        known = [kind for of, kind in self._forms if of == part]
        return [(_WORDS[part].get(kind, kind), kind) for kind in known]

    def _kind(self, part: str) -> str:
        if self._before is None:
            return str(self._kinds[part].value)
        return str(self._before.metadata_kind if part == "metadata" else self._before.contents_kind)

    def _fields_of(self, part: str) -> FormFields:
        before = self._before
        known: Mapping[str, Any] | None = None
        if before is not None:
            known = before.metadata if part == "metadata" else before.contents
        kept = (before.secrets or ()) if before else ()
        own = {name.removeprefix(f"{part}.") for name in kept if name.startswith(f"{part}.")}
        made = FormFields(self._desk, self._forms.get((part, self._kind(part)), ()), known, own)
        made.on_change(self._refresh)
        return made

    def _other(self, part: str) -> None:
        self._fields[part].forget_secrets()
        self._fields[part] = self._fields_of(part)
        self._arrange()
        self._refresh()

    def _arrange(self) -> None:
        new = self._before is None
        self.asking.fields.children = (
            *([helped(self._name, _NAME_HELP)] if new else []),
            self._title,
            words("<h3>History: what was committed, when, by whom</h3>", "wide"),
            *([self._kinds["metadata"]] if new else []),
            self._fields["metadata"].view,
            words("<h3>Files: each content once</h3>", "wide"),
            *([self._kinds["contents"]] if new else []),
            self._fields["contents"].view,
        )

    def _forget(self) -> None:
        for part in self._fields.values():
            part.forget_secrets()

    def _given(self) -> dict[str, Any]:
        title = self._title.value.strip()
        known = self._before.title if self._before else ""
        given: dict[str, Any] = {"title": title} if title != known else {}
        return given | {part: one.given for part, one in self._fields.items() if one.given}

    def _refresh(self) -> None:
        missing = [label for one in self._fields.values() for label in one.missing]
        if self._before is None and not self._name.value.strip():
            missing.insert(0, "Name")
        given = self._given()
        self.asking.enable(possible=not missing and bool(given))
        if missing:
            self.asking.will(f"Still needed: {listed(missing)}.")
        elif not given:
            self.asking.will("Nothing is changed yet.")
        else:
            self.asking.will(
                "It is tested at once: something is written to it and taken away again.",
                "Whoever manages a dataset can then choose it for the dataset's versions.",
            )

    async def _act(self) -> str:
        given, calls = self._given(), self._desk.client.targets
        if self._before is None:
            kinds = {f"{part}_kind": self._kind(part) for part in _PARTS}
            parts = {part: given.get(part, {}) for part in _PARTS}
            create = partial(calls.create, self._name.value.strip(), title=given.get("title", ""))
            made = await self._desk.call(partial(create, **kinds, **parts))
            said = f"{made.name} was set up."
        else:
            edit = partial(calls.edit, self._before.name, revision=self._before.revision)
            made = await self._desk.call(partial(edit, **given))
            said = f"{made.name} was changed."
        self._desk.again(*CHANGED)
        return f"{said} {made.problem}".strip()


def enabling(desk: Desk, slot: Slot, target: VersionTarget, *, enabled: bool) -> Asking:
    """The form that lets versions be committed to a target, or no longer."""
    stays = "Those that it keeps can still be loaded."
    lines = [f"No version is committed to it any more. {stays}"]
    if enabled:
        lines = ["Versions can be committed to it again."]
    edit = desk.client.targets.edit
    return registered.enabling(desk, slot, target, edit, CHANGED, enabled=enabled, lines=lines)


def deleting(desk: Desk, slot: Slot, target: VersionTarget) -> Asking:
    """The form that forgets a target."""
    used = [each.name for each in desk.picture.datasets if each.target == target.name]
    number = counted_as(len(used), "dataset names it", "datasets name it")
    return registered.deleting(
        desk,
        slot,
        target,
        desk.client.targets.delete,
        CHANGED,
        lines=["It is gone, with its secrets. What lies in it stays there."],
        kept_for=f"{number}: {listed(used)}" if used else "",
    )


def cleaning(desk: Desk, slot: Slot, found: TargetCleaning) -> Asking:
    """The form that removes what nothing needs, after it was told."""

    async def act() -> str:
        done = await desk.call(desk.client.targets.clean, found.target)
        desk.again(*CHANGED)
        removed = counted(sum(each.removed for each in done.items), "file")
        rest = "" if done.complete else " There is more: clean it again."
        return f"{removed} removed from {found.target}.{rest}"

    title = f"Clean {found.target}"
    asking = Asking(desk, slot, title, confirm="Remove", act=act, tone="risk")
    unneeded = [each for each in found.items if each.files]
    later = _later_lines(found)
    if not unneeded:
        none = "now." if later else "because all that it keeps is needed."
        asking.will(f"Nothing can be removed {none}", *later)
    else:
        asking.will(*_unneeded_lines(unneeded), *later)
    asking.enable(possible=bool(unneeded))
    return asking


def _unneeded_lines(unneeded: Sequence[Unneeded]) -> list[str]:
    lines = [
        f"Of {each.label}: {counted(each.files, 'file')}, {format_size(each.size)}."
        for each in unneeded[:_TOLD]
    ]
    rest = unneeded[_TOLD:]
    if rest:
        size = format_size(sum(each.size for each in rest))
        lines.append(f"Of {len(rest)} more: {size}.")
    return [*lines, "No version of a dataset and no model needs them. Nothing brings them back."]


def _later_lines(found: TargetCleaning) -> list[str]:
    return [f"Of {each.label}: {each.problem}" for each in found.items if each.problem][:_TOLD]
