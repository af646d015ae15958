"""What is looked at of a provider before the hub opens its port, and what ``allotment doctor`` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from traitlets.config import Config
from typer.testing import CliRunner

from allotment.cli import app
from allotment.cli.findings import Level, Machine
from allotment.data.assembling import open_vault
from allotment.record import Reading, open_record, people, sign_in
from allotment.record.schema import people as table
from allotment.settings import load_settings
from allotment_hub import checks, configure, passwords
from allotment_hub.launch.place import Place, Ports
from oidc_providers import SECRET, OidcProvider

CALLBACK = "http://127.0.0.1:8000/hub/oauth_callback"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """A provider that knows one client."""
    made = OidcProvider(tmp_path_factory.mktemp("provider"))
    made.client(CALLBACK)
    with made.runs():
        yield made


def place_of(folder: Path, provider: OidcProvider, **changed: str | None) -> Place:
    """Where a hub could live, with settings for the provider; None leaves a key out."""
    (folder / "state").mkdir(exist_ok=True)
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o600)
    (folder / "wrong").write_text("of another client")
    (folder / "empty").write_text("\n")
    said = {
        "kind": "oidc",
        "issuer": provider.issuer,
        "client_id": "allotment",
        "client_secret_file": "secret",
        "operators": "[olga]",
        "accept_shared_user": "true",
        **changed,
    }
    lines = "".join(f"  {key}: {value}\n" for key, value in said.items() if value is not None)
    text = f"sign_in:\n{lines}devices: []\n"
    (folder / "settings.yaml").write_text(text)
    return Place(folder / "state", folder / "settings.yaml", Ports(8000, 8001, 8002, 8003))


def configured(place: Place) -> Config:
    told = Config()
    configure(told, load_settings(place.settings, place.state), place)
    return told


def refused(place: Place, capsys: pytest.CaptureFixture[str]) -> str:
    """What a hub says that does not start; it made nothing before."""
    with pytest.raises(SystemExit) as ended:
        configured(place)
    assert ended.value.code == 2
    assert not (place.state / "record.sqlite").exists()
    return capsys.readouterr().err


@pytest.mark.promise("AUTH-1", "AUTH-2")
def test_a_provider_that_is_as_the_settings_say_lets_the_hub_start(
    tmp_path: Path, provider: OidcProvider
) -> None:
    told = configured(place_of(tmp_path, provider))

    assert told.ProviderAuthenticator.oauth_callback_url == CALLBACK
    assert told.ProviderAuthenticator.enable_auth_state
    assert SECRET not in repr(told.ProviderAuthenticator.sign_on)


@pytest.mark.promise("AUTH-2")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_secret_file": "wrong"}, "client_id: the provider does not know this client"),
        ({"client_secret_file": "empty"}, "client_secret_file: "),
        ({"client_secret_file": "missing"}, "client_secret_file: cannot be read"),
        ({"client_id": "another"}, "client_id: the provider does not know this client"),
        (
            {"callback": "http://127.0.0.1:9/hub/oauth_callback"},
            "callback: the provider does not send people back to http://127.0.0.1:9/",
        ),
        ({"scopes": "[openid, nonsense]"}, "scopes: the discovery document at"),
        ({"certificate_authority": "empty"}, "certificate_authority: is no file with certificates"),
    ],
)
def test_what_the_provider_does_not_agree_with_stops_the_hub_and_is_named(
    tmp_path: Path,
    provider: OidcProvider,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str | None],
    said: str,
) -> None:
    words = refused(place_of(tmp_path, provider, **changed), capsys)

    assert f"sign_in.{said}" in words
    assert "settings.yaml:" in words
    assert SECRET not in words


@pytest.mark.promise("AUTH-2")
def test_an_issuer_that_calls_itself_otherwise_is_refused_to_the_slash(
    tmp_path: Path, provider: OidcProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    words = refused(place_of(tmp_path, provider, issuer=f"{provider.issuer}/"), capsys)

    assert "settings.yaml:3: sign_in.issuer: the discovery document" in words
    assert "to the last slash" in words


@pytest.mark.promise("AUTH-2")
def test_a_provider_that_was_never_seen_must_answer_when_the_hub_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = OidcProvider(tmp_path / "nobody")

    words = refused(place_of(tmp_path, nobody), capsys)

    assert "settings.yaml:3: sign_in.issuer: " in words
    assert "does not answer" in words


@pytest.mark.promise("AUTH-2", "SERVER-7")
def test_a_provider_that_is_away_stops_no_hub_that_knew_it_with_these_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = OidcProvider(tmp_path / "provider")
    provider.client(CALLBACK)
    place = place_of(tmp_path, provider)
    with provider.runs():
        before = configured(place).ProviderAuthenticator.token_url
    for file in place.state.iterdir():  # as where a pod ends; the record is elsewhere
        if not file.name.startswith(("record.", "hub-identity")):
            file.unlink()

    assert configured(place).ProviderAuthenticator.token_url == before
    changed = place_of(tmp_path, provider, client_id="another")
    with pytest.raises(SystemExit):
        configured(changed)
    assert "does not answer" in capsys.readouterr().err


def replace_secret(place: Place, secret: str, instead_of: str) -> None:
    """Give another secret, as an operator does, while the settings hold one."""
    now, settings = datetime.now(UTC), load_settings(place.settings, place.state)
    said = settings.sign_in
    with closing(open_record(settings.record)) as record:
        vault = replace(open_vault(record, settings, place.state, now), accepts=True)
        with record.writing("olga", now) as writing:
            client, hashed = said.client_id or "", passwords.hashed(instead_of)
            sealed = vault.encrypt(secret)
            sign_in.replace_secret(writing, said.provider_issuer, client, sealed, hashed)


@pytest.mark.promise("AUTH-1", "AUTH-2")
def test_an_operators_secret_stands_for_that_of_the_settings_until_they_hold_another(
    tmp_path: Path, provider: OidcProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(place_of(tmp_path, provider))
    ended = place_of(tmp_path, provider, client_secret_file="wrong")
    replace_secret(ended, SECRET, instead_of="of another client")

    assert configured(ended).ProviderAuthenticator.client_secret == SECRET
    (tmp_path / "wrong").chmod(0o600)
    found = list(checks.sign_in(Machine(ended.state, ended.settings, 8000)))
    assert "olga replaced the client's secret" in found[-1].found

    (tmp_path / "wrong").write_text("a newer one, and wrong")
    with pytest.raises(SystemExit):
        configured(ended)
    assert "the provider does not know this client" in capsys.readouterr().err


@contextmanager
def read_record(place: Place) -> Iterator[Reading]:
    """The record of a hub that lives there."""
    address = f"sqlite:///{place.state}/record.sqlite"
    with closing(open_record(address)) as record, record.reading() as reading:
        yield reading


@pytest.mark.promise("AUTH-1", "AUTH-2")
def test_an_operators_secret_that_ended_gives_way_to_a_good_one_of_the_settings(
    tmp_path: Path, provider: OidcProvider, caplog: pytest.LogCaptureFixture
) -> None:
    place = place_of(tmp_path, provider)
    configured(place)
    replace_secret(place, "of a year ago", instead_of=SECRET)

    mine = configured(place).ProviderAuthenticator

    assert mine.client_secret == SECRET
    assert "the secret that olga gave on" in caplog.text
    with read_record(place) as reading:
        known, (look,) = mine.sign_on.secret.replaced(reading), sign_in.looks(reading)
    assert mine.sign_on.secret.in_force(known) == SECRET
    assert "the secret that olga gave on" in look.found["notes"][-1]
    found = list(checks.sign_in(Machine(place.state, place.settings, 8000)))[-1]
    assert (found.level, found.mend) == (Level.WARN, "allotment sign-in withdraw-secret")

    replace_secret(place, "given later", instead_of=SECRET)
    with read_record(place) as reading:
        known = mine.sign_on.secret.replaced(reading)
    assert mine.sign_on.secret.in_force(known) == "given later"


@pytest.mark.promise("AUTH-1", "AUTH-2")
def test_whose_secret_was_tried_is_said_and_an_operators_is_withdrawn_while_the_hub_is_down(
    tmp_path: Path, provider: OidcProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(place_of(tmp_path, provider))
    place = place_of(tmp_path, provider, client_secret_file="wrong")
    replace_secret(place, "of a year ago", instead_of="of another client")

    with pytest.raises(SystemExit):
        configured(place)

    said = capsys.readouterr().err
    assert "tried was the secret that olga gave on" in said
    assert "that of the settings is refused, too" in said
    assert "of a year ago" not in said
    where = ("--settings", str(place.settings), "--state", str(place.state))
    hub = {"ALLOTMENT_API_URL": "http://127.0.0.1:9"}
    asked = ["sign-in", "withdraw-secret", "--yes", *where]
    answer = CliRunner().invoke(app, asked, env=hub)
    assert "Hubs use the secret of the settings" in answer.output
    with read_record(place) as reading:
        assert sign_in.replaced_secret(reading, provider.issuer, "allotment") is None


@pytest.mark.promise("DATA-5", "AUTH-2")
def test_a_hub_without_the_keys_of_a_replaced_secret_says_so(
    tmp_path: Path, provider: OidcProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    place = place_of(tmp_path, provider)
    configured(place)
    replace_secret(place, SECRET, instead_of=SECRET)
    (place.state / "data.key").unlink()

    with pytest.raises(SystemExit):
        configured(place)

    said = capsys.readouterr().err
    assert "with the keys of the secrets is not there" in said
    assert SECRET not in said


@pytest.mark.promise("AUTH-2")
def test_what_was_found_at_the_start_is_in_the_record(
    tmp_path: Path, provider: OidcProvider
) -> None:
    place = place_of(tmp_path, provider)
    configured(place)

    address = f"sqlite:///{place.state}/record.sqlite"
    with closing(open_record(address)) as record, record.reading() as reading:
        (look,) = sign_in.looks(reading)
    assert look.succeeded_at is not None
    assert (look.found["issuer"], look.found["callback"]) == (provider.issuer, CALLBACK)
    assert SECRET not in str(look)


@pytest.mark.promise("AUTH-2")
def test_doctor_explains_what_would_stop_the_hub(tmp_path: Path, provider: OidcProvider) -> None:
    good = place_of(tmp_path, provider)
    (found,) = list(checks.sign_in(Machine(good.state, good.settings, 8000)))
    assert (found.level, found.subject) == (Level.OK, "Sign-in")

    bad = place_of(tmp_path, provider, client_secret_file="wrong")
    (tmp_path / "wrong").chmod(0o600)
    (found,) = list(checks.sign_in(Machine(bad.state, bad.settings, 8000)))
    assert found.level is Level.FAIL
    assert "sign_in.client_id: the provider does not know this client" in found.found


@pytest.mark.promise("AUTH-2")
def test_doctor_warns_of_a_secret_that_others_can_read(
    tmp_path: Path, provider: OidcProvider
) -> None:
    place = place_of(tmp_path, provider)
    (tmp_path / "secret").chmod(0o644)

    found = next(iter(checks.sign_in(Machine(place.state, place.settings, 8000))))

    assert (found.level, found.mend) == (Level.WARN, f"chmod 600 {tmp_path / 'secret'}")


@pytest.mark.promise("AUTH-2")
def test_doctor_says_nothing_of_a_provider_where_people_sign_in_locally(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("devices: []\n")

    assert not list(checks.sign_in(Machine(tmp_path, tmp_path / "settings.yaml", 8000)))


@pytest.mark.promise("AUTH-1", "USER-1")
def test_who_keeps_a_password_keeps_the_authority_that_a_provider_once_confirmed(
    tmp_path: Path, provider: OidcProvider
) -> None:
    place = place_of(tmp_path, provider, local="[rescue]")
    configured(place)
    now = datetime.now(UTC)
    with closing(open_record(f"sqlite:///{place.state}/record.sqlite")) as record:
        with record.writing("test", now) as writing:
            lapsed = {"confirmed_until": now}
            writing.run(table.update().where(table.c.name.in_(("rescue", "olga"))).values(lapsed))

        configured(place)

        with record.reading() as reading:
            assert people.authority(reading, "rescue", now).permissions
            assert not people.authority(reading, "olga", now).permissions
