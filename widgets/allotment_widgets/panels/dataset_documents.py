"""Documents beside a dataset: attached, fetched as files, kept no longer. None of them is ever shown here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from html import escape
from typing import Any

import ipywidgets

from allotment.model.amounts import counted, format_size
from allotment.model.documents import Attachment, Dataset
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import button, helped, put, row, stack, words
from allotment_widgets.panels.dataset_forms import CHANGED
from allotment_widgets.saving import link_html
from allotment_widgets.sentences import problem_html

_RULE = "They are kept, and handed out as files: the platform never opens them."
_LARGE = "Up to 8 MiB each here; the command line takes larger ones."


def documents(desk: Desk, slot: Slot, dataset: Dataset) -> Asking:
    """What is attached to a dataset, and what can be attached to it."""
    return _Documents(desk, slot, dataset).asking


class _Documents:
    def __init__(self, desk: Desk, slot: Slot, dataset: Dataset) -> None:
        self._desk, self._dataset = desk, dataset
        self._list = stack(kind="stack wide")
        self._problem = words("", "wide")
        self._upload = ipywidgets.FileUpload(multiple=True, description="Choose files…")
        may_attach = dataset.manages
        upload = [helped(self._upload, _LARGE, wide=True)] if may_attach else []
        self.asking = Asking(
            desk,
            slot,
            f"Documents of {dataset.name}",
            confirm="Attach",
            act=self._attach if may_attach else None,
            fields=[self._list, self._problem, *upload],
        )
        self._upload.observe(lambda _: desk.backend.soon(self._say), "value")
        self._show()
        self._say()

    def _show(self) -> None:
        attached = self._dataset.attachments
        lines = [self._line(one) for one in attached]
        nothing = (
            "<p class=quiet>Nothing is attached. A data dictionary or a licence belongs here.</p>"
        )
        self._list.children = lines or [words(nothing)]

    def _line(self, one: Attachment) -> Any:
        about = f"{format_size(one.size)}, {one.added_by}, {one.added_at:%d %b %Y}"
        said = words(f"<b>{escape(one.name)}</b> <span class=quiet>{escape(about)}</span>")
        link = words()
        acts = [self._button("Fetch", lambda: self._fetch(one, link))]
        if self._dataset.manages:
            acts.append(self._button("Remove", lambda: self._remove(one)))
        return row(said, *acts, link)

    def _button(self, label: str, work: Callable[[], Coroutine[Any, Any, None]]) -> Any:
        made = button(label)
        made.on_click(lambda _: self._desk.begin(work()))
        return made

    def _say(self) -> None:
        chosen = list(self._upload.value)
        self.asking.enable(possible=bool(chosen))
        known = {one.name for one in self._dataset.attachments}
        lines = [
            f"{one['name']}, {format_size(one['size'])}"
            f"{': takes the place of the one that is there' if one['name'] in known else ''}."
            for one in chosen
        ]
        self.asking.will(*lines, *([_RULE] if self._dataset.manages else []))

    async def _fetch(self, one: Attachment, link: ipywidgets.HTML) -> None:
        call = self._desk.client.datasets.attachment
        try:
            content = await self._desk.call(call, self._dataset.name, one.name)
        except AllotmentError as error:
            put(self._problem, problem_html(error))
            return
        put(link, link_html(one.name, content))

    async def _remove(self, one: Attachment) -> None:
        try:
            await self._desk.call(self._desk.client.datasets.detach, self._dataset.name, one.name)
        except AllotmentError as error:
            put(self._problem, problem_html(error))
            return
        left = tuple(each for each in self._dataset.attachments if each.name != one.name)
        self._dataset = self._dataset.model_copy(update={"attachments": left})
        self._desk.again(*CHANGED)
        self._show()
        self._say()

    async def _attach(self) -> str:
        chosen = list(self._upload.value)
        try:
            for one in chosen:
                attach = partial(self._desk.client.datasets.attach, self._dataset.name, one["name"])
                await self._desk.call(attach, bytes(one["content"]))
        finally:
            self._desk.again(*CHANGED)
        return f"{counted(len(chosen), 'document')} kept beside {self._dataset.name}."
