"""How each route about people of a provider, leaving, service accounts and a directory is asked, and who is served."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allotment.model.people import Permission
from allotment.record import directory, service_accounts
from allotment.record.schema import directory_groups, directory_people
from route_rows import Row, body

SCIM = "/scim/v2"


def _leaver(lab: Any, number: int) -> None:
    lab.people(f"leaver-{number}")


def _account(lab: Any, number: int) -> None:
    with lab.write("olga") as writing:
        end = lab.now + timedelta(days=30)
        name, hashed = f"account-{number}", f"{number:064x}"
        service_accounts.create(writing, name, {Permission.SEE_ALL}, hashed, end, maker="olga")


def _entry(lab: Any, number: int) -> None:
    """A person of the directory, with the number as the id."""
    lab.people(f"entry-{number}")
    with lab.write("olga") as writing:
        made = directory.add(writing, f"entry-{number}", None, {}, brought=True)
        rows = directory_people
        writing.run(rows.update().where(rows.c.id == made).values(id=f"{number:032x}"))


def _group(lab: Any, number: int) -> None:
    """A group of the directory, with the number as the id."""
    with lab.write("olga") as writing:
        made = directory.create_group(writing, f"directory-{number}", None)
        rows = directory_groups
        writing.run(rows.update().where(rows.c.id == made).values(id=f"{number:032x}"))


NOBODY = ""
"""A directory speaks with a service account of its own: no person is served, whatever they may do."""
_USER, _GROUP = f"{SCIM}/Users/{{number:032x}}", f"{SCIM}/Groups/{{number:032x}}"
_MADE = {"secret": "made-there-{number}"}
_RENAME = {"Operations": [{"op": "replace", "path": "displayName", "value": "other-{number}"}]}
SIGN_ON_ROWS = [
    Row("GET", "/users/{name}/leaving", "O", at="/users/bob/leaving"),
    Row(
        "POST",
        "/users/{name}/leave",
        "O",
        body(reason="The contract ends."),
        "/users/leaver-{number}/leave",
        _leaver,
    ),
    Row("GET", "/users/{name}/accounts", "OR", at="/users/bob/accounts"),
    Row(
        "POST",
        "/users/{name}/link",
        "O",
        body(provider_name="at-the-provider-{number}"),
        "/users/leaver-{number}/link",
        _leaver,
    ),
    Row("DELETE", "/users/{name}/link", "O", at="/users/bob/link"),
    Row("POST", "/sign-on/foresee", "OR", body(yaml="mode: strict\n")),
    Row("GET", "/sign-in", "OR"),
    Row("POST", "/sign-in/check", "O"),
    Row("PUT", "/sign-in/client-secret", "O", body(**_MADE)),
    Row("DELETE", "/sign-in/client-secret", "O"),
    Row("GET", "/service-accounts", "OR"),
    Row(
        "POST",
        "/service-accounts",
        "O",
        body(name="new-{number}", permissions=["see-all"], expires_at="2026-06-01T00:00:00Z"),
    ),
    Row(
        "DELETE",
        "/service-accounts/{name}",
        "O",
        at="/service-accounts/account-{number}",
        prepare=_account,
    ),
    Row("GET", f"{SCIM}/ServiceProviderConfig", NOBODY),
    Row("GET", f"{SCIM}/ResourceTypes", NOBODY),
    Row("GET", f"{SCIM}/ResourceTypes/{{name}}", NOBODY, at=f"{SCIM}/ResourceTypes/User"),
    Row("GET", f"{SCIM}/Schemas", NOBODY),
    Row(
        "GET",
        f"{SCIM}/Schemas/{{name}}",
        NOBODY,
        at=f"{SCIM}/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    ),
    Row("GET", f"{SCIM}/Users", NOBODY),
    Row("POST", f"{SCIM}/Users", NOBODY, body(userName="from-a-directory-{number}")),
    Row("GET", f"{SCIM}/Users/{{key}}", NOBODY, at=_USER, prepare=_entry),
    Row("PUT", f"{SCIM}/Users/{{key}}", NOBODY, body(userName="entry-{number}"), _USER, _entry),
    Row("PATCH", f"{SCIM}/Users/{{key}}", NOBODY, body(**_RENAME), _USER, _entry),
    Row("DELETE", f"{SCIM}/Users/{{key}}", NOBODY, at=_USER, prepare=_entry),
    Row("GET", f"{SCIM}/Groups", NOBODY),
    Row("POST", f"{SCIM}/Groups", NOBODY, body(displayName="group-{number}")),
    Row("GET", f"{SCIM}/Groups/{{key}}", NOBODY, at=_GROUP, prepare=_group),
    Row("PUT", f"{SCIM}/Groups/{{key}}", NOBODY, body(displayName="put-{number}"), _GROUP, _group),
    Row("PATCH", f"{SCIM}/Groups/{{key}}", NOBODY, body(**_RENAME), _GROUP, _group),
    Row("DELETE", f"{SCIM}/Groups/{{key}}", NOBODY, at=_GROUP, prepare=_group),
]
