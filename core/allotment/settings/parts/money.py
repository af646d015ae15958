"""Budgets."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.model.budgets import PLATFORM, BudgetScope, BudgetTerms
from allotment.record import Writing, budgets
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.schema import Settings

PLACES = {
    BudgetScope.PERSON: "people",
    BudgetScope.GROUP: "groups",
    BudgetScope.DEPARTMENT: "departments",
    BudgetScope.MEMBERS: "members",
}
"""Where the settings say the budgets of each scope."""


class Budgets(Part):
    """Budgets. Named as in events: ``scope/subject``."""

    kind = "budget"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        said: dict[str, Said] = {}
        default = settings.budgets.everybody
        if default is not None:
            words = terms_words(default, given_only=True)
            said[f"{BudgetScope.EVERYBODY}/{PLATFORM}"] = Said(words, ("budgets", "everybody"))
        for scope, place in PLACES.items():
            given: Mapping[str, BudgetTerms] = getattr(settings.budgets, place)
            for name, terms in given.items():
                words = terms_words(terms, given_only=True)
                said[f"{scope}/{name}"] = Said(words, ("budgets", place, name))
        return said

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name."""
        return {
            f"{row.budget.scope}/{row.budget.subject}": terms_words(row.budget.terms)
            for row in budgets.all_rows(scene.reading)
        }

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - its name says it
        """The person, group or department that it is of."""
        scope, _, subject = name.partition("/")
        if scope == BudgetScope.EVERYBODY:
            return ()
        return (("group" if scope == BudgetScope.MEMBERS else scope, subject),)

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Set a budget."""
        scope, _, subject = name.partition("/")
        budgets.put(writing, BudgetScope(scope), subject, BudgetTerms.model_validate(words))

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Change what the words give of a budget; the rest stays."""
        scope, _, subject = name.partition("/")
        before = budgets.get(writing, BudgetScope(scope), subject).budget.terms
        self.make(writing, name, terms_words(before) | words)


def terms_words(terms: BudgetTerms, *, given_only: bool = False) -> Words:
    """A budget's terms as plain values, an amount as it would be written by hand."""
    words = terms.model_dump(mode="json", exclude_unset=given_only)
    amount = terms.amount.normalize()
    return words | {"amount": f"{amount:f}"}
