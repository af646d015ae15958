"""How people sign in, as rows and pieces of a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from allotment.model.amounts import counted
from allotment.model.documents import ClientSecret, EmergencyAccount, SignInLook, SignInState
from allotment_widgets.columns import Column, State

LOCAL = "local"
KINDS = {
    LOCAL: "With passwords of the platform's own",
    "oidc": "OpenID Connect",
    "keycloak": "Keycloak (OpenID Connect)",
    "okta": "Okta (OpenID Connect)",
    "google": "Google (OpenID Connect)",
    "azuread": "Microsoft Entra (OpenID Connect)",
    "github": "GitHub (OAuth 2)",
}
LOOK_STATES = {
    "wrong": State("Wrong", "bad"),
    "away": State("No answer", "warn"),
    "good": State("Good", "ok"),
}
LOOK_COLUMNS = (
    Column("id", "Hub", width=110),
    Column("state", "Provider", kind="state", states=LOOK_STATES, width=122),
    Column("at", "Looked", kind="time", width=110, hide_narrow=True),
    Column("succeeded_at", "Last good", kind="time", width=110),
    Column("says", "Found", flex=2, width=150, hover="says"),
    Column("callback", "People come back to", flex=2, width=150, hide_narrow=True),
)


def look_row(one: SignInLook) -> dict[str, object]:
    """What one hub found, as a row."""
    said = (*one.problems, *one.notes)
    return {
        "id": one.hub,
        "state": one.state,
        "at": one.at,
        "succeeded_at": one.succeeded_at,
        "says": "; ".join(said) or "client, secret and callback are right",
        "callback": one.callback,
    }


def sign_in_html(found: SignInState) -> str:
    """What is active, as a table of facts."""
    rows = "".join(
        f"<tr><th scope=row>{key}</th><td>{escape(what)}</td></tr>" for key, what in _facts(found)
    )
    return (
        f'<h2>What is active</h2><table class="plain facts-table">{rows}</table>'
        f"<p class=quiet>{escape(found.fixed)}</p>"
    )


def _facts(found: SignInState) -> Iterator[tuple[str, str]]:
    yield "People sign in", KINDS.get(found.kind, found.kind)
    if found.kind != LOCAL:
        yield from _provider(found)
    for one in found.hubs:  # in full: a row of the grid cuts it off
        if one.problems:
            yield f"Hub {one.hub}", "; ".join(one.problems)
    yield "Operators", ", ".join(found.operators) or "those whom a group of the provider makes one"
    if found.kind != LOCAL:
        accounts = "; ".join(_account(one) for one in found.emergency_accounts)
        yield "For emergencies", accounts or "nobody keeps a password (sign_in.local)"
    yield "Directory", "keeps people here (SCIM)" if found.directory else "none"


def _provider(found: SignInState) -> Iterator[tuple[str, str]]:
    yield "Shown as", found.service or ""
    yield "Issuer", found.issuer or ""
    yield "Client", found.client_id or ""
    if found.client_secret is not None:
        yield "Its secret", secret_words(found.client_secret)
    yield "Asked for", " ".join(found.scopes)
    yield "Admits", _ADMITS.get(found.admits or "", found.admits or "")
    if found.refresh_seconds is not None and found.confirm_within_seconds is not None:
        again, holds = _span(found.refresh_seconds), _span(found.confirm_within_seconds)
        yield "Asked again", f"every {again}; its word admits new servers for {holds}"


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return counted(hours, "hour") if hours and not rest else counted(seconds // 60, "minute")


_ADMITS = {
    "groups": "who is in a mapped group, and whom the platform knows",
    "known": "only whom the platform knows",
    "everybody": "whoever the provider lets in",
}


def secret_words(secret: ClientSecret) -> str:
    """Where the client's secret comes from, in words."""
    if secret.replaced_at is None:
        return f"that of the settings, in {secret.settings}"
    return f"replaced by {secret.replaced_by} on {secret.replaced_at:%Y-%m-%d %H:%M} UTC"


def _account(one: EmergencyAccount) -> str:
    if one.password_changed_at is None:
        return f"{one.name}, who has no password yet"
    return f"{one.name}, with a password of {one.password_changed_at:%Y-%m-%d}"


def mapping_html(found: SignInState) -> str:
    """What the provider's groups mean here, as a table."""
    if not found.groups:
        return "<h2>Groups of the provider</h2><p>None means anything here: sign_in.groups maps them.</p>"
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{escape(one.meaning)}</td></tr>"
        for one in found.groups
    )
    head = "<tr><th scope=col>Group there</th><th scope=col>Whoever is in it</th></tr>"
    return f'<h2>Groups of the provider</h2><table class="plain">{head}{rows}</table>'
