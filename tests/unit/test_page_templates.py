"""Pages that a test of the whole hub does not reach are drawn from their templates alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from allotment.model.reasons import Reason, Rule
from allotment_hub import files

HOSTILE = '"><img src=x onerror=alert(1)>'
FRAME: dict[str, Any] = {
    "base_url": "/hub/",
    "allotment_files": "/hub/allotment/static/0/",
    "user": SimpleNamespace(name=HOSTILE, groups=[SimpleNamespace(name=HOSTILE)]),
    "xsrf_token": HOSTILE,
    "xsrf": HOSTILE,
    "logout_url": "/hub/logout",
    "login_url": "/hub/login",
    "local_sign_in": True,
    "keep_passwords": (),
    "sends_mail": True,
    "no_spawner_check": False,
    "announcement": "",
    "here": "",
}
SCOPES = [{"scope": "access:servers", "description": HOSTILE, "filter": HOSTILE}]
REASON = Reason(
    Rule.LIMIT_DEVICES, HOSTILE, limit=2, used=1, asked=4, remedy=HOSTILE, details=(HOSTILE,)
)
PAGES: dict[str, dict[str, Any]] = {
    "oauth.html": {
        "oauth_client": SimpleNamespace(description=HOSTILE, redirect_uri=HOSTILE),
        "scope_descriptions": SCOPES,
        "allowed_scopes": [HOSTILE],
    },
    "accept-share.html": {
        "owner": SimpleNamespace(name=HOSTILE),
        "spawner": SimpleNamespace(name=HOSTILE),
        "spawner_url": HOSTILE,
        "spawner_ready": False,
        "scope_descriptions": SCOPES,
        "code": HOSTILE,
        "next_url": HOSTILE,
    },
    "error.html": {
        "status_code": 500,
        "status_message": HOSTILE,
        "message": HOSTILE,
        "error_title": "",
        "message_html": "",
        "exception": None,
    },
    "404.html": {
        "status_code": 404,
        "status_message": HOSTILE,
        "message": HOSTILE,
        "error_title": "",
        "message_html": "",
        "exception": None,
    },
    "not_running.html": {
        "user": SimpleNamespace(name=HOSTILE, groups=[], orm_user=SimpleNamespace(orm_spawners={})),
        "failed": True,
        "failed_message": HOSTILE,
        "exception": SimpleNamespace(reasons=(REASON,), may_wait=True, ticket=None),
        "server_name": HOSTILE,
        "spawn_url": HOSTILE,
    },
    "notices.html": {"email": HOSTILE, "problem": HOSTILE, "saved": True, "action": HOSTILE},
    "logout.html": {},
}


@pytest.fixture(scope="module")
def templates() -> Environment:
    """As the hub reads them, but that a name nobody gave is an error."""
    return Environment(
        loader=FileSystemLoader(files.TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_with_every_strangers_word_as_text(
    templates: Environment, name: str
) -> None:
    page = templates.get_template(name).render(FRAME | PAGES[name])
    assert page.startswith("<!DOCTYPE html>")
    assert "<img" not in page
    assert page.count("<h1") == 1
    assert page.count('id="main"') == 1


def test_every_template_can_be_read(templates: Environment) -> None:
    names = templates.list_templates()
    assert {"page.html", "spawn.html", "home.html", "login.html"} <= set(names)
    for name in names:
        templates.get_template(name)
