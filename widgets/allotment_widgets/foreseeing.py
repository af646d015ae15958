"""What a form would do, asked of the control plane while it is written, and shown before it is agreed to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape

from allotment.model.documents import AffectedServer, Consequences
from allotment.model.money import money_words
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking
from allotment_widgets.desk import Desk

PAUSE = 0.15
"""Seconds without another letter before it is asked what is written would do."""
Ask = Callable[[], Consequences]


class Foreseen:
    """The part of a form that says what it would do. Until that is known, the form cannot be agreed to."""

    def __init__(self, desk: Desk, asking: Asking) -> None:
        self._desk, self._asking = desk, asking
        self._asked = 0
        self._of: object = None

    def say(self, lines: Sequence[str], ask: Ask | None = None, *, of: object = None) -> None:
        """Say at once what is written; then what the control plane says that it would do.

        ``of``: what is asked, where a form looks again often; the same is not asked twice.
        """
        if of is not None and of == self._of:
            return
        self._of = of
        self._asked += 1
        self._asking.will(*lines)
        if ask is None:
            self._asking.show_problem(None)
            self._asking.show_table("")
            self._asking.hold(waiting=False)
            return
        self._asking.hold(waiting=True)
        self._desk.begin(self._foresee(self._asked, tuple(lines), ask))

    async def _foresee(self, asked: int, lines: tuple[str, ...], ask: Ask) -> None:
        await asyncio.sleep(PAUSE)
        if asked != self._asked:
            return
        problem: AllotmentError | None = None
        found = Consequences(consequences=())
        try:
            found = await self._desk.call(ask)
        except AllotmentError as error:
            problem = error
        if asked != self._asked:
            return
        self._asking.show_problem(problem)
        self._asking.will(*lines, *found.consequences)
        self._asking.show_table(consequences_html(found))
        self._asking.hold(waiting=False)


def together(found: Iterable[Consequences]) -> Consequences:
    """What several edits would do, as one."""
    all_of_them = list(found)
    return Consequences(
        consequences=tuple(line for one in all_of_them for line in one.consequences),
        servers=tuple(each for one in all_of_them for each in one.servers),
        people=tuple(each for one in all_of_them for each in one.people),
        tickets=tuple(each for one in all_of_them for each in one.tickets),
        rate=sum((one.rate for one in all_of_them), Decimal(0)),
        cost=sum((one.cost for one in all_of_them), Decimal(0)),
        more=sum(one.more for one in all_of_them),
    )


def consequences_html(found: Consequences) -> str:
    """Servers, people and those who wait, as tables; nothing where nobody is concerned."""
    tables = [_servers(found), _people(found), _tickets(found)]
    if found.more:
        tables.append(f'<p class="quiet">and {found.more} more</p>')
    return "".join(tables)


def _servers(found: Consequences) -> str:
    if not found.servers:
        return ""
    priced = any(one.price is not None for one in found.servers)
    heads = [("Server", ""), ("Pool", ""), ("Devices", "num"), ("What happens", ""), ("When", "")]
    heads += [("An hour", "num"), ("So far", "num")] if priced else []
    rows = [_server(one, priced=priced) for one in found.servers]
    if priced:
        sums = money_words(found.rate), money_words(found.cost)
        rows.append(_row(("<b>in all</b>", "", "", "", "", *sums), heads))
    return _table("Servers", heads, rows)


def _server(one: AffectedServer, *, priced: bool) -> str:
    name = f"{one.person}/{one.name or 'default'}"
    link = f'<a href="#servers" data-go="servers" data-about="{escape(name)}">{escape(name)}</a>'
    what = f'<span title="{escape(one.because)}">{escape(one.words)}</span>'
    cells = [link, escape(one.pool or ""), str(one.devices), what, _when(one.at)]
    if priced:
        free = one.price is None
        cells += ["" if free else money_words(one.price or Decimal(0))]
        cells += ["" if free else money_words(one.cost)]
    heads = [("", "num" if place in {2, 5, 6} else "") for place in range(len(cells))]
    return _row(cells, heads)


def _when(at: datetime | None) -> str:
    if at is None:
        return '<span class="quiet">not stopped</span>'
    day = f"{at:%d %b}" if at.year == datetime.now(UTC).year else f"{at:%d %b %Y}"
    return f'<time datetime="{at.isoformat()}">{day} {at:%H:%M} UTC</time>'


def _people(found: Consequences) -> str:
    heads = [("Person", ""), ("Group", ""), ("Limit", ""), ("Holds", "num"), ("Allowed", "num")]
    rows = [
        _row(
            (
                escape(one.person),
                escape(one.group or ""),
                escape(one.words),
                str(one.used),
                str(one.limit),
            ),
            heads,
        )
        for one in found.people
    ]
    return _table("People", heads, rows) if rows else ""


def _tickets(found: Consequences) -> str:
    heads = [("Waiting", ""), ("Devices", "num"), ("What happens", "")]
    rows = [
        _row(
            (
                escape(f"{one.person}/{one.name or 'default'}"),
                str(one.devices),
                escape(one.words),
            ),
            heads,
        )
        for one in found.tickets
    ]
    return _table("Those who wait", heads, rows) if rows else ""


def _row(cells: Iterable[str], heads: Iterable[tuple[str, str]]) -> str:
    """One line; its cells are HTML already."""
    return (
        "<tr>"
        + "".join(
            f'<td class="{kind}">{cell}</td>' for cell, (_, kind) in zip(cells, heads, strict=True)
        )
        + "</tr>"
    )


def _table(title: str, heads: Iterable[tuple[str, str]], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col" class="{kind}">{word}</th>' for word, kind in heads)
    return (
        f'<div class="wide-table" role="region" tabindex="0" aria-label="{title} concerned">'
        f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
