"""The form that registers a source or changes one: the fields that its kind declares, and who may use it."""

from __future__ import annotations

from functools import partial
from typing import Any

from allotment.model.documents import Source, SourceForm
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.audience_fields import AudienceFields
from allotment_widgets.desk import Desk
from allotment_widgets.fields import area_field, choice_field, helped, text_field, words
from allotment_widgets.form_fields import FormFields
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import listed
from allotment_widgets.source_rows import SHARED, proof_lines

CHANGED = (Topic.SOURCES, Topic.DATASETS)
TRIED = "Then a write is tried with exactly what its users would get; that can take a minute."
_NAME_HELP = "What people write to open it: lower-case letters, digits, '-', '_' and '.'."


def adding(desk: Desk, slot: Slot) -> Asking:
    """The form that registers a source."""
    return SourceEditing(desk, slot, None).asking


def changing(desk: Desk, slot: Slot, source: Source) -> Asking:
    """The form that changes a source."""
    return SourceEditing(desk, slot, source).asking


class SourceEditing:
    """The form. What is asked changes with the kind that is chosen."""

    def __init__(self, desk: Desk, slot: Slot, before: Source | None) -> None:
        self._desk, self._before = desk, before
        self._forms = {each.kind: each for each in desk.picture.source_forms}
        kinds = [(each.title, kind) for kind, each in self._forms.items()]
        self._kind = choice_field("Kind", kinds, before.kind if before else None)
        self._name = text_field("Name", placeholder="warehouse")
        self._title = text_field("Title", before.title if before else "", placeholder="Warehouse")
        self._description = area_field(
            "Description",
            before.description if before else "",
            rows=2,
            placeholder="What is in it, how fresh it is, whom to ask",
        )
        self._audience = AudienceFields(
            desk, before.audience if before else None, before.group if before else None, "source"
        )
        self._fields = self._fields_of_kind()
        self.asking = Asking(
            desk,
            slot,
            f"Change {before.name}" if before else "Add a source",
            confirm="Save" if before else "Add",
            act=self._act,
            fields=[words()],
        )
        self.asking.closed = self._closed
        self.asking.refresh = self._refresh
        for field in (self._name, self._title, self._description):
            field.observe(lambda _: desk.backend.soon(self._refresh), "value")
        self._kind.observe(lambda _: desk.backend.soon(self._other_kind), "value")
        self._audience.on_change(self._refresh)
        self._arrange()
        self._refresh()

    def _form(self) -> SourceForm | None:
        return self._forms.get(self._before.kind if self._before else self._kind.value)

    def _fields_of_kind(self) -> FormFields:
        form, before = self._form(), self._before
        made = FormFields(
            self._desk,
            () if form is None else form.fields,
            before.fields if before else None,
            (before.secrets or ()) if before else (),
        )
        made.on_change(self._refresh)
        return made

    def _closed(self) -> None:
        self._fields.forget_secrets()

    def _other_kind(self) -> None:
        self._fields.forget_secrets()
        self._fields = self._fields_of_kind()
        self._arrange()
        self._refresh()

    def _arrange(self) -> None:
        form = self._form()
        title = "" if form is None else form.title
        first = [] if self._before else [self._kind, helped(self._name, _NAME_HELP)]
        self.asking.fields.children = (
            *first,
            self._title,
            self._description,
            words(f"<h3>{title}</h3>", "wide"),
            self._fields.view,
            words("<h3>Who may use it</h3>", "wide"),
            self._audience.view,
        )

    def _given(self) -> dict[str, Any]:
        """What differs from what it was."""
        before = self._before
        told = {"title": self._title.value.strip(), "description": self._description.value.strip()}
        known = {"title": before.title, "description": before.description} if before else {}
        given: dict[str, Any] = {
            key: text for key, text in told.items() if text != known.get(key, "")
        }
        given |= self._audience.given
        fields = self._fields.given
        return given | ({"fields": fields} if fields or before is None else {})

    def _refresh(self) -> None:
        missing = list(self._fields.missing)
        if self._before is None and not self._name.value.strip():
            missing.insert(0, "Name")
        given = self._given()
        self.asking.enable(possible=not missing and bool(given or self._before is None))
        self.asking.will(*self._lines(given, missing))

    def _lines(self, given: dict[str, Any], missing: list[str]) -> list[str]:
        if missing:
            return [f"Still needed: {listed(missing)}."]
        if self._before is not None and not given:
            return ["Nothing is changed yet."]
        who = f"Who may use it: {self._audience.audience.words}."
        if self._before is not None and "fields" not in given:
            return ["It is changed at once.", who]
        nobody = "Until it is proven read-only, or accepted as it is, nobody can use it."
        return [f"Its address must be allowed and its fields make sense. {TRIED}", nobody, who]

    async def _act(self) -> str:
        given, calls = self._given(), self._desk.client.sources
        try:
            if self._before is None:
                fields = given.pop("fields")
                made = await self._desk.call(
                    partial(
                        calls.create, self._name.value.strip(), self._kind.value, fields, **given
                    )
                )
                said = f"{made.name} was registered."
            else:
                edit = partial(calls.edit, self._before.name, revision=self._before.revision)
                made = await self._desk.call(partial(edit, **given))
                said = f"{made.name} was changed."
        finally:
            self._desk.again(*CHANGED)
        return f"{said} {proven_words(made)}"


def proven_words(source: Source) -> str:
    """What came of trying to write."""
    lines = [*proof_lines(source.proof), SHARED if source.shared else ""]
    if not (source.proven or source.accepted):
        lines.append("Nobody can use it before it is proven, or accepted as it is.")
    return " ".join(line for line in lines if line)
