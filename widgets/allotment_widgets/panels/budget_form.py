"""The form that sets a budget: of a person, a group, a department, or of many people; and budgets as rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from allotment.model.budgets import LEVELS, AtLimit, BudgetScope, BudgetTerms, Period
from allotment.model.documents import Budget
from allotment.model.durations import format_duration
from allotment.model.money import money_words
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AllotmentError, NotFound, Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Column, State
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, text_field
from allotment_widgets.foreseeing import Foreseen

_PERIODS = (
    ("A month", Period.MONTH),
    ("A quarter", Period.QUARTER),
    ("In all: credit", Period.NONE),
)
_AT_LIMIT = (
    ("Nothing new starts", AtLimit.REFUSE),
    ("And what runs is stopped", AtLimit.STOP),
    ("Only a warning", AtLimit.WARN),
)
_LABELS = {
    "amount": "Amount",
    "grace": "From being told to the stop",
    "minimum_session": "A launch must afford",
}
_NEAR, _NEARER, _USED_UP = LEVELS

STATES = {
    "well": State("Within", "ok"),
    "near": State("Nearly used", "warn"),
    "over": State("Used up", "bad"),
}
COLUMNS = (
    Column("name", "Budget", flex=1.6, width=130),
    Column("spent", "Spent", kind="money", width=100),
    Column("amount", "Of", kind="money", width=100),
    Column("period", "For", width=90, hide_narrow=True),
    Column("part", "Used", kind="percent", width=92),
    Column("ends", "Ends at this rate", flex=1.2, width=150, hide_narrow=True),
    Column("limit", "At the limit", flex=1.4, width=140, hide_narrow=True),
    Column("most", "Most by", width=100, hide_narrow=True),
    Column("state", "State", kind="state", states=STATES, hover="sentence", width=140),
)


def budget_row(one: Budget) -> dict[str, object]:
    """One budget as a row of a grid."""
    state = "over" if one.percent >= _USED_UP else "near" if one.percent >= _NEAR else "well"
    return {
        "id": f"{one.scope}/{one.subject}",
        "name": _name(one.scope, one.subject),
        "spent": one.spent,
        "amount": one.amount,
        "period": one.period.words,
        "part": min(100, one.percent),
        "ends": _ends(one),
        "limit": one.at_limit.words,
        "most": one.person or "" if one.scope.is_default else "",
        "state": state,
        "sentence": one.sentence,
    }


def _name(scope: BudgetScope, subject: str) -> str:
    """Whose budget it is, in words."""
    return {
        BudgetScope.PERSON: subject,
        BudgetScope.MEMBERS: f"each member of {subject}",
        BudgetScope.EVERYBODY: "everybody",
    }.get(scope, f"{scope} {subject}")


def _ends(one: Budget) -> str:
    if one.percent >= _USED_UP:
        return "now"
    if one.ends_at is not None:
        return f"{one.ends_at:%d %b %H:%M} UTC"
    return "lasts its period" if one.rate else "nothing runs"


async def budgeting(
    desk: Desk, slot: Slot, scope: BudgetScope, subject: str, done: Callable[[], None] | None = None
) -> None:
    """Read the budget, if there is one, and open the form."""
    try:
        known: Budget | None = await desk.call(desk.client.budgets.get, scope, subject)
    except NotFound:
        known = None
    except AllotmentError as error:
        desk.say(str(error), "bad")
        return
    _BudgetForm(desk, slot, (scope, subject), known, done).asking.open()


class _BudgetForm:
    def __init__(
        self,
        desk: Desk,
        slot: Slot,
        whose: tuple[BudgetScope, str],
        known: Budget | None,
        done: Callable[[], None] | None,
    ) -> None:
        self._desk, self._whose, self._done = desk, whose, done
        own = known if known and known.revision else None
        self._known, self._inherited = own, known if own is None else None
        before = known or BudgetTerms(amount=Decimal(0))
        amount = f"{own.amount.normalize():f}" if own else ""
        self._amount = text_field(
            _LABELS["amount"], amount, placeholder="500; nothing for no budget"
        )
        self._period = choice_field("For", _PERIODS, before.period)
        self._limit = choice_field("When it is used up", _AT_LIMIT, before.at_limit)
        self._times = {
            key: text_field(_LABELS[key], format_duration(getattr(before, key)), placeholder="30m")
            for key in ("grace", "minimum_session")
        }
        fields: list[Any] = [self._amount, self._period, self._limit, *self._times.values()]
        self.asking = Asking(
            desk, slot, f"Budget of {_name(*whose)}", confirm="Save", act=self._act, fields=fields
        )
        self._foreseen = Foreseen(desk, self.asking)
        for field in fields:
            field.observe(lambda _: desk.backend.soon(self._refresh), "value")
        self._refresh()

    def _written(self) -> BudgetTerms | None:
        """The terms in the form; None: no budget.

        Raises:
            Refusal: something in it makes no sense.
        """
        if not self._amount.value.strip():
            return None
        said = {key: field.value.strip() for key, field in self._times.items()}
        said["amount"] = self._amount.value.strip().replace(",", "")
        try:
            return BudgetTerms.model_validate(
                {"period": self._period.value, "at_limit": self._limit.value, **said}
            )
        except ValidationError as error:
            raise Refusal(*(_wrong(str(one["loc"][0]), said) for one in error.errors())) from None

    def _refresh(self) -> None:
        """Say what is written now, and ask the control plane what that would do."""
        try:
            terms = self._written()
        except Refusal as refusal:
            self._foreseen.say([reason.sentence for reason in refusal.reasons])
            self.asking.enable(possible=False)
            return
        self.asking.enable(possible=terms is not None or self._known is not None)
        if terms is None:
            gone = "The budget is taken away: nothing limits the cost any more."
            none = "There is no budget. Write an amount to set one."
            self._foreseen.say([gone if self._known else none, *self._default()])
            return
        lines = [f"{terms.words[0].upper()}{terms.words[1:]}."]
        if self._known is not None:
            used = f"{money_words(self._known.spent)} of {money_words(self._known.amount)}"
            most = f" by {self._known.person}, who used the most" if self._counted else ""
            lines.append(f"Now {used} is spent{most}.")
        lines += self._default()
        calls = self._desk.client.budgets
        self._foreseen.say(lines, lambda: calls.consequences(*self._whose, terms))

    @property
    def _counted(self) -> bool:
        """Whether it is a default of which somebody has used something."""
        known = self._known
        return known is not None and known.scope.is_default and known.person is not None

    def _default(self) -> list[str]:
        """What binds a person who has no budget of their own, and where it comes from."""
        one = self._inherited
        if one is None:
            return []
        used = f"{money_words(one.spent)} of {money_words(one.amount)} {one.period.words}"
        return [f"Until one is set, this binds: {used} ({one.source})."]

    async def _act(self) -> str:
        terms, client, (scope, subject) = self._written(), self._desk.client.budgets, self._whose
        whose = _name(scope, subject) if scope.is_default else subject
        revision = self._known.revision if self._known else 0
        if terms is None:
            await self._desk.call(client.delete, scope, subject, revision=revision)
            said = f"The budget of {whose} was taken away."
        else:
            await self._desk.call(client.put, scope, subject, terms, revision=revision)
            said = f"{whose} may use {terms.words}."
        if self._done is not None:
            self._done()
        return said


def _wrong(key: str, said: dict[str, str]) -> Reason:
    words = "no amount of money" if key == "amount" else "no duration"
    remedy = (
        "Write a number such as 500 or 99.50."
        if key == "amount"
        else "Write 90s, 30m, 12h, 2d or 1h30m."
    )
    text = f"{_LABELS.get(key, key)}: {said.get(key, '')[:40]!r} is {words}."
    return Reason(Rule.REQUEST, text, remedy=remedy)
