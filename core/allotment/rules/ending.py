"""The rules about announced ends: lifetimes, and who may put what off. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from allotment.model.amounts import counted
from allotment.model.endings import Cause, Ending
from allotment.model.idleness import LIFETIME_NOTICE, ExtendRule, IdleRule, duration_words
from allotment.model.reasons import Reason, Rule


def lifetime_notice(lifetime: timedelta) -> timedelta:
    """How long before the end of a lifetime people are told: a quarter of it, 15 minutes at most."""
    return min(LIFETIME_NOTICE, lifetime / 4)


def lifetime_stop(lifetime: timedelta, running_at: datetime, now: datetime) -> datetime | None:
    """When a server is stopped for its age, once that is to be said; None: not yet.

    People have the whole notice, however late it is said.
    """
    notice = lifetime_notice(lifetime)
    ends = running_at + lifetime
    return None if now < ends - notice else max(ends, now + notice)


def lifetime_words(lifetime: timedelta) -> str:
    """What the user of a server reads whose lifetime is over."""
    return f"Servers of this size may run for {duration_words(lifetime)}."


def put_off(ending: Ending, rule: ExtendRule, now: datetime) -> datetime:
    """When a server is stopped instead, where its user puts the end off once."""
    return max(ending.stop_at, now) + rule.by


def may_put_off(ending: Ending, rule: ExtendRule | None) -> bool:
    """Whether an ending can be put off once more."""
    return rule is not None and ending.cause.extendable and ending.extended < rule.times


def judge_extension(open_endings: Sequence[Ending], rule: ExtendRule | None) -> Reason | None:
    """Return why none of a server's announced ends can be put off, or None where one can."""
    if any(may_put_off(one, rule) for one in open_endings):
        return None
    if not open_endings:
        message = "No end of this server is announced, so there is nothing to put off."
        return Reason(Rule.ENDING_EXTEND, message, remedy="It runs on.")
    first = min(open_endings, key=lambda one: one.stop_at)
    if rule is not None and first.cause.extendable:
        return Reason(
            Rule.ENDING_EXTEND,
            f"The end of this server was put off {counted(first.extended, 'time')} already.",
            limit=rule.times,
            used=first.extended,
            asked=1,
            remedy="Save your work; launch again afterwards. An operator can change the profile.",
        )
    return Reason(
        Rule.ENDING_EXTEND,
        _final_words(first),
        remedy="Save your work; launch again afterwards.",
    )


def _final_words(ending: Ending) -> str:
    if ending.cause is Cause.RECLAIM:
        return "Its devices go back to the group that lent them; that cannot be put off."
    if ending.cause is Cause.BUDGET:
        return "The budget that pays for it is used up; that cannot be put off."
    if ending.cause is Cause.DRAIN:
        return "What it runs on is taken out of use; an operator said when."
    if ending.cause is Cause.UPDATE:
        return "An operator said by when its software is to be updated; a reset does it earlier."
    if ending.cause is Cause.STOPPED:
        return "A person announced this end; only they can take it back."
    return "Its profile does not let this end be put off."


def judge_keep(rule: IdleRule | None, until: datetime, now: datetime) -> Reason | None:
    """Return why a server cannot be left alone until a time, or None where it can."""
    if rule is None:
        message = (
            "This server is never stopped for being idle, so it needs no word to be left alone."
        )
        return Reason(Rule.ENDING_KEEP, message, remedy="It runs on.")
    if until <= now:
        message = "The time until which it is to be left alone has passed."
        return Reason(Rule.ENDING_KEEP, message, remedy="Name a time to come.")
    if until > now + rule.keep:
        minutes = round((until - now).total_seconds() / 60)
        most = round(rule.keep.total_seconds() / 60)
        return Reason(
            Rule.ENDING_KEEP,
            f"Its profile lets it be left alone for {duration_words(rule.keep)} at most.",
            limit=most,
            asked=minutes,
            remedy=f"Ask for {duration_words(rule.keep)} or less; ask again before they are over."
            if most
            else "An operator can change the profile.",
        )
    return None
