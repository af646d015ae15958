"""Launches that the cluster does not carry out, in words for whoever launched."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from allotment.inventory.kubernetes.connecting import ClusterAway, problem_of
from allotment.model.durations import rough_words
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment_spawner.kubernetes.ends import Hold, Waiting
from allotment_spawner.refusing import LaunchRefused

_QUOTA = "exceeded quota"
_FORBIDDEN = 403

_GIVEN_UP = {
    Waiting.QUEUE: "Kueue did not admit it within {time}.",
    Waiting.NODE: "The cluster found no node for it within {time}.",
    Waiting.SERVER: "Its container did not start within {time}.",
}
_REMEDY = {
    Waiting.QUEUE: "Try again later, or choose a smaller size.",
    Waiting.NODE: "Choose another size, or tell an operator.",
    Waiting.SERVER: "Tell an operator, or choose other software.",
}


def given_up(hold: Hold, limit: timedelta) -> LaunchRefused:
    """It waited longer than the settings allow; the cluster's own word says for what."""
    message = _GIVEN_UP[hold.waiting].format(time=rough_words(limit))
    reason = Reason(Rule.REQUEST, f"{message} {hold.words}".strip(), remedy=_REMEDY[hold.waiting])
    return LaunchRefused([reason], status_code=503, label="pending")


def no_room(refusal: Refusal) -> LaunchRefused:
    """What a person's homes may have together leaves too little for another."""
    return LaunchRefused(refusal.reasons, status_code=409, label="storage")


def home_going(name: str) -> LaunchRefused:
    """Its home was removed, and the cluster still holds what is left of it."""
    message = f"Its old home is being removed: the claim of storage {name} has not gone yet."
    reason = Reason(Rule.REQUEST, message, remedy="Try again in a minute, or tell an operator.")
    return LaunchRefused([reason], status_code=503, label="storage")


def another_cluster(counted: str, answers: str) -> LaunchRefused:
    """Its devices are of the cluster that the record counts, and its pod would be in another."""
    message = f"Its devices are in the cluster {counted}, and this hub makes pods in {answers}."
    remedy = "Tell an operator: hubs in another cluster need a record of their own."
    reason = Reason(Rule.SETTINGS, message, remedy=remedy)
    return LaunchRefused([reason], status_code=503, label="cluster")


def ended_early(words: str) -> LaunchRefused:
    """Its pod ended before its server answered."""
    message = f"Its pod ended while it was starting. {words}".strip()
    reason = Reason(Rule.REQUEST, message, remedy="Look at its log, or tell an operator.")
    return LaunchRefused([reason], status_code=500, label="pod")


def not_created(error: Any) -> LaunchRefused:
    """The cluster refuses the pod itself, or its claim of storage: by a quota, a policy, a rule."""
    said = _message(error)
    if is_away(error):
        return away(said)
    if error.status == _FORBIDDEN and _QUOTA in said:
        message = f"The cluster's quota is used up: {said}"
        reason = Reason(Rule.REQUEST, message, remedy="Choose a smaller size, or tell an operator.")
        return LaunchRefused([reason], status_code=409, label="quota")
    reason = Reason(
        Rule.REQUEST, f"The cluster refuses its pod: {said}", remedy="Tell an operator."
    )
    return LaunchRefused([reason], status_code=500, label="cluster")


def is_away(error: Any) -> bool:
    """Whether an answer says nothing of what was asked: it may yet be carried out."""
    return isinstance(problem_of(error), ClusterAway)


def away(words: str) -> LaunchRefused:
    """The cluster's API is away, or has too much to do: no fault of the hub's, of the pod's or of the person's."""
    message = f"The cluster does not answer: {words.rstrip('.')}."
    reason = Reason(
        Rule.REQUEST, message, remedy="Try again in a minute; if it stays so, tell an operator."
    )
    return LaunchRefused([reason], status_code=503, label="cluster")


def _message(error: Any) -> str:
    try:
        said = str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        said = str(error.reason or f"HTTP {error.status}")
    return " ".join(said.split())[:400]
