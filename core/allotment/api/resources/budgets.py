"""Budgets: how much a person, a group or a department may use, and what of it is spent."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response

from allotment.api.answering import ExpectedRevision, answer, answer_list
from allotment.api.fields import PersonPath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.budgets import (
    budget_document,
    budget_documents,
    consequences,
    inherited_document,
    sees,
)
from allotment.model import documents
from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.money import money_words
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, NotPermitted
from allotment.record import Reading, budgets, events, memberships, spending
from allotment.rules.permission import Action, Caller, Target, judge, sight

router = APIRouter(prefix="/budgets", tags=["budgets"])


@router.get("", response_model=documents.BudgetListing, summary="List budgets")
def list_budgets(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """All for those who see everything; else own ones, those of own groups, and of led people."""
    with plane.record.reading() as reading:
        found = budget_documents(reading, sight(caller), plane.now())
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.scope, one.subject), page)
    listing = documents.BudgetListing(items=items, next=following, sequence=sequence)
    return answer_list(request, listing)


@router.get("/{scope}/{subject}", response_model=documents.Budget, summary="Read a budget")
def read_budget(plane: Plane, caller: Asker, scope: BudgetScope, subject: PersonPath) -> Response:
    """One budget, with what is spent of it and when it ends at the present rate.

    Of a person who has none, the default that binds: where it comes from is its ``source``.
    """
    now = plane.now()
    with plane.record.reading() as reading:
        row = budgets.find(reading, scope, subject)
        if row is None:
            return _inherited(reading, caller, scope, subject, now)
        (found,) = spending.spendings(reading, now, [row])
        if not sees(reading, sight(caller), found):
            raise NotFound("budget", f"{scope} {subject}")
    return answer(budget_document(found, now), revision=row.budget.revision)


def _inherited(
    reading: Reading, caller: Caller, scope: BudgetScope, subject: str, now: datetime
) -> Response:
    """The default that binds a person who has no budget of their own."""
    if scope is BudgetScope.PERSON:
        valid = memberships.all_memberships(reading, person=subject)
        inside = {one.group for one in valid if one.until is None or one.until > now}
        found = spending.of_person(reading, subject, inside, now)
        if found is not None and sight(caller).sees(subject, {one.group for one in valid}):
            return answer(inherited_document(found, now), revision=0)
    raise NotFound("budget", f"{scope} {subject}")


@router.put("/{scope}/{subject}", response_model=documents.Budget, summary="Set a budget")
def put_budget(
    plane: Plane,
    caller: Asker,
    scope: BudgetScope,
    subject: PersonPath,
    expected: ExpectedRevision,
    body: BudgetTerms,
) -> Response:
    """Set a budget, or change one. One that is not there yet has the revision 0.

    Leads set budgets of members of own groups, within what the group itself may use. What was spent
    in its period counts, whenever it was set: ask for the consequences first.
    """
    now = plane.now()
    with plane.record.writing(caller.person, now) as writing:
        _check(writing, caller, scope, subject, body)
        row = budgets.put(writing, scope, subject, body, expected)
        (found,) = spending.spendings(writing, now, [row])
    return answer(budget_document(found, now), revision=row.budget.revision)


@router.delete("/{scope}/{subject}", status_code=204, summary="Take a budget away")
def delete_budget(
    plane: Plane,
    caller: Asker,
    scope: BudgetScope,
    subject: PersonPath,
    expected: ExpectedRevision,
) -> Response:
    """Nothing limits what its subject uses any more. What was used stays in the record."""
    with plane.record.writing(caller.person, plane.now()) as writing:
        _check(writing, caller, scope, subject, None)
        budgets.remove(writing, scope, subject, expected)
    return Response(status_code=204)


@router.post(
    "/{scope}/{subject}/consequences",
    response_model=documents.Consequences,
    summary="What other terms would do",
)
def foresee_budget(
    plane: Plane, caller: Asker, scope: BudgetScope, subject: PersonPath, body: BudgetTerms
) -> Response:
    """Who would be over, and what would become of what runs. Nothing is changed."""
    with plane.record.reading() as reading:
        _check(reading, caller, scope, subject, body)
        foreseen = spending.foresee(reading, scope, subject, body, plane.now())
        found = consequences(reading, foreseen, plane.now())
    return answer(found)


def _check(
    reading: Reading, caller: Caller, scope: BudgetScope, subject: str, terms: BudgetTerms | None
) -> None:
    """Whether the caller may set this budget; a lead gives members at most what the group has."""
    if scope is not BudgetScope.PERSON:
        require(caller, Action.BUDGET_OTHERS)
        return
    inside = {one.group for one in memberships.all_memberships(reading, person=subject)}
    require(caller, Action.BUDGET_PERSON, Target(person=subject, groups=tuple(sorted(inside))))
    if terms is None or judge(caller, Action.BUDGET_OTHERS) is None:
        return
    for row in budgets.all_rows(reading):
        own = row.budget
        beyond = own.scope is BudgetScope.GROUP and own.subject in inside
        if beyond and terms.amount > own.terms.amount:
            most = money_words(own.terms.amount)
            raise NotPermitted(
                Reason(
                    Rule.PERMISSION,
                    f"A lead gives members at most what {own.whose} may use: {most} {own.terms.period.words}.",
                    remedy=f"Give at most {most}, or ask an operator for a larger budget of the group.",
                )
            )
