"""How people sign in: what is active, a look at the provider now, and another secret of its client."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from allotment.api.answering import answer
from allotment.api.fields import Body
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.views.sign_in import sign_in_state, state_of
from allotment.model import documents
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record import sign_in
from allotment.rules.permission import Action
from allotment.settings.sign_on import LOCAL
from allotment.work.hub_api import HubAway, HubRefused

router = APIRouter(prefix="/sign-in", tags=["users"])
log = logging.getLogger(__name__)


class NewClientSecret(Body):
    """Another secret of the hub's client at the provider. Nobody can read it again."""

    secret: Annotated[
        str, Field(min_length=1, max_length=2000, pattern=r"^[!-~](?:[ -~]*[!-~])?$", repr=False)
    ]


@router.get("", response_model=documents.SignInState, summary="Read how people sign in")
def read_sign_in(plane: Plane, caller: Asker) -> Response:
    """What is active, who keeps a password for emergencies, and what each hub found when it last looked."""
    require(caller, Action.SEE_PLATFORM)
    return _state(plane)


@router.post("/check", response_model=documents.SignInState, summary="Look at the provider now")
def check_sign_in(plane: Plane, caller: Asker) -> Response:
    """Have this hub ask its provider all that can be asked without a person. It may take a minute."""
    require(caller, Action.CHANGE_SIGN_IN)
    _need_a_provider(plane)
    plane.hub.look_at_sign_in()
    return _state(plane)


@router.put(
    "/client-secret", response_model=documents.SignInState, summary="Replace the client's secret"
)
def replace_client_secret(plane: Plane, caller: Asker, body: NewClientSecret) -> Response:
    """Try another secret with the provider; where it takes it, every hub uses it from its next question on."""
    require(caller, Action.CHANGE_SIGN_IN)
    _need_a_provider(plane)
    found = plane.hub.look_at_sign_in({"secret": body.secret})
    _refuse_what_was_not_taken(found, "the secret")
    # A provider here was the settings' yes to keeping what its client knows.
    sealed = replace(plane.data.opening.vault, accepts=True).encrypt(body.secret)
    with plane.record.writing(caller.person, plane.now()) as writing:
        issuer, client = str(found["issuer"]), str(found["client_id"])
        sign_in.replace_secret(writing, issuer, client, sealed, str(found["instead_of"]))
    return _looked_again(plane)


@router.delete(
    "/client-secret",
    response_model=documents.SignInState,
    summary="Go back to the settings' secret of the client",
)
def withdraw_client_secret(plane: Plane, caller: Asker) -> Response:
    """Forget the secret that an operator gave, where the provider takes that of the settings."""
    require(caller, Action.CHANGE_SIGN_IN)
    _need_a_provider(plane)
    found = plane.hub.look_at_sign_in({"of_settings": True})
    _refuse_what_was_not_taken(found, "the secret of the settings")
    with plane.record.writing(caller.person, plane.now()) as writing:
        sign_in.withdraw_secret(writing, str(found["issuer"]), str(found["client_id"]))
    return _looked_again(plane)


def _state(plane: ControlPlane) -> Response:
    with plane.record.reading() as reading:
        found = sign_in_state(reading, plane.sign_in, directory=plane.scim is not None)
    return answer(found)


def _looked_again(plane: ControlPlane) -> Response:
    """The state with what the hub finds by the secret that is in force from now on."""
    with suppress(HubAway, HubRefused):  # it was tried; what the hub says of itself comes later
        plane.hub.look_at_sign_in()
    return _state(plane)


def _need_a_provider(plane: ControlPlane) -> None:
    """Check that there is a provider.

    Raises:
        Refusal: people sign in with passwords.
    """
    if plane.sign_in.kind == LOCAL:
        message = "People sign in with passwords here: there is no provider, and no client of one."
        remedy = "sign_in in the settings names a provider."
        raise Refusal(Reason(Rule.SETTINGS, message, remedy=remedy))


def _refuse_what_was_not_taken(found: dict[str, Any], what: str) -> None:
    """Go on only where the provider took what was tried.

    Raises:
        Refusal: it does not, or does not answer.
    """
    state = state_of(found)
    if state == "away":
        message = f"The provider does not answer, so {what} could not be tried: {found['away']}."
        raise Refusal(Reason(Rule.SETTINGS, message, remedy="Nothing was changed. Try again."))
    if state == "wrong":
        problems = tuple(str(one) for one in found["problems"])
        message = f"The provider does not take {what}: {'; '.join(problems)}."
        remedy = f"Nothing was changed. Make a secret for the client {found['client_id']!r} there, and enter it whole."
        raise Refusal(Reason(Rule.SETTINGS, message, remedy=remedy, details=problems))
