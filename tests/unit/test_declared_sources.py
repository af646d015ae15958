"""Sources that the settings declare: made once, restored, exported; their secrets stand in no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from allotment.cli.offline import OfflineConfiguration
from allotment.data.keys import new_key
from allotment.data.vault import Vault
from allotment.model.claims import Claim, Granted
from allotment.model.refusals import Refusal, SettingsInvalid
from allotment.model.sources import Audience, Source, SourceKind
from allotment.record import Record, Writing, claims, declared, events, loans, open_record, sources
from allotment.settings import declare, load_settings, parse_settings
from allotment.settings.parts import Secrets
from allotment.settings.parts.sources import source_problems
from allotment.settings.sources import read_secrets
from allotment_hub.first_start import prepare_record

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "planted-canary-7f3a9"
FILE = """\
groups: [{name: vision, members: [ann], leads: [ann]}]
people: {zoe: {}}
sources:
  - name: warehouse
    kind: postgresql
    title: The warehouse
    fields: {host: db.example.com, database: shop, user: allotment, tls: require}
    secrets: {password: {variable: WAREHOUSE}}
    audience: {groups: [vision], people: [zoe]}
    group: vision
  - name: files
    kind: folder
    fields: {path: /srv/shared}
    audience: {everyone: true}
"""

Furnished = Callable[[], AbstractContextManager[Record]]


@pytest.fixture
def record(furnished: Furnished) -> Iterator[Record]:
    with furnished() as made:
        yield made


@pytest.fixture(scope="module")
def vault() -> Vault:
    return Vault((new_key(),))


def secrets_of(vault: Vault, text: str = FILE, **variables: str) -> Secrets:
    return Secrets(read_secrets(parse_settings(text).sources, variables), vault.encrypt)


@pytest.fixture
def made(record: Record, vault: Vault) -> Record:
    """A record in which the file was applied."""
    declare.apply_once(record, parse_settings(FILE), NOW, secrets_of(vault, WAREHOUSE=SECRET))
    return record


def planned(record: Record, text: str = FILE, *, restore: bool = True) -> tuple[str, ...]:
    with record.reading() as reading:
        changes = declare.plan(reading, parse_settings(text), now=NOW, restore=restore)
    return tuple(one.sentence for one in changes)


def exported(record: Record) -> str:
    with record.reading() as reading:
        return declare.export(reading, NOW)


def source(record: Record, name: str = "warehouse") -> Source:
    with record.reading() as reading:
        return sources.get(reading, name)


def by_an_operator(record: Record, change: Callable[[Writing], object]) -> None:
    with record.writing("operator", NOW) as writing:
        change(writing)


def edited(name: str, **values: Any) -> Callable[[Writing], object]:
    return lambda w: sources.edit(w, replace(sources.get(w, name), **values), {})


@pytest.mark.promise("OPS-1", "DATA-1")
def test_declared_sources_are_made_shared_and_not_yet_usable(made: Record, vault: Vault) -> None:
    found = source(made)

    assert planned(made) == ()
    assert (found.kind, found.title, found.group) == (
        SourceKind.POSTGRESQL,
        "The warehouse",
        "vision",
    )
    assert found.audience == Audience(groups=("vision",), people=("zoe",))
    assert (found.fields["host"], found.fields["port"]) == ("db.example.com", 5432)
    assert (found.proof, found.usable) == (None, False)
    with made.reading() as reading:
        assert vault.decrypt(sources.sealed(reading, "warehouse")["password"]) == SECRET


@pytest.mark.promise("DATA-5")
def test_a_declared_secret_is_in_no_event_no_memory_and_no_export(made: Record) -> None:
    with made.reading() as reading:
        said = [str(one) for one in events.after(reading, 0, 1000)]
        said += [str(one) for one in declared.all_declared(reading).values()]

    assert SECRET not in "".join([*said, exported(made), *planned(made)])


@pytest.mark.promise("OPS-1")
def test_what_an_operator_made_of_a_source_stays_and_is_said_in_words(
    made: Record,
) -> None:
    by_an_operator(made, edited("files", audience=Audience(groups=("vision",)), enabled=False))
    by_an_operator(made, lambda w: sources.delete(w, "warehouse"))

    applied = declare.apply_once(made, parse_settings(FILE), NOW)

    assert applied.made == ()
    assert [one.sentence for one in applied.left_alone] == [
        "source warehouse is not made (it was deleted since the settings made it)",
        "source files: audience {groups: [vision]} stays, though the settings say {everyone: True}",
    ]


@pytest.mark.promise("OPS-1")
def test_a_source_is_restored_with_its_secret_read_again_and_must_be_proven_anew(
    made: Record, vault: Vault
) -> None:
    with made.reading() as reading:
        before = sources.get(reading, "warehouse")
    elsewhere = {**before.fields, "host": "other.example.com"}
    with made.writing("operator", NOW) as writing:
        sources.edit(writing, replace(before, fields=elsewhere), {"password": vault.encrypt("x")})

    changes = declare.apply(
        made,
        parse_settings(FILE),
        actor="olga",
        now=NOW,
        restore=True,
        secrets=secrets_of(vault, WAREHOUSE=SECRET),
    )

    assert [one.sentence for one in changes] == [
        "source warehouse: fields.host other.example.com becomes db.example.com"
    ]
    assert source(made).proof is None
    with made.reading() as reading:
        assert vault.decrypt(sources.sealed(reading, "warehouse")["password"]) == SECRET


@pytest.mark.promise("DATA-5")
def test_a_secret_is_never_shown_to_another_address_than_it_was_entered_for(
    made: Record, vault: Vault
) -> None:
    moved = FILE.replace("db.example.com", "elsewhere.example.com")

    with pytest.raises(Refusal, match="Host changed, so Password must be entered again"):
        declare.apply(
            made,
            parse_settings(moved),
            actor="olga",
            now=NOW,
            restore=True,
            secrets=Secrets(seal=vault.encrypt),
        )


@pytest.mark.promise("DATA-7")
def test_a_source_whose_accounts_servers_have_leads_nowhere_else(
    made: Record, vault: Vault
) -> None:
    moved = FILE.replace("db.example.com", "elsewhere.example.com")
    outcome = claims.admit(made, Claim("hub", "ann", "", "small", token_hash="1"), NOW)
    assert isinstance(outcome, Granted)
    lent = ("warehouse", outcome.allotment.id, "ann", "allotment_1", NOW + timedelta(hours=1))
    by_an_operator(made, lambda w: loans.lend(w, *lent))

    with pytest.raises(Refusal, match="servers have 1 of its accounts"):
        declare.apply(
            made,
            parse_settings(moved),
            actor="olga",
            now=NOW,
            restore=True,
            secrets=secrets_of(vault, WAREHOUSE=SECRET),
        )


@pytest.mark.promise("DATA-5", "AUTH-2")
@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("password: hunter2-canary}", "secrets.password: expected {variable: …} or {file: …}"),
        ("password: {value: hunter2-canary}}", "secrets.password.value: is not a key here"),
        ("password: {variable: A, file: b}}", "expected file or variable, one of them"),
        ("passwort: {variable: A}}", "secrets.passwort: is no secret of this kind"),
    ],
)
def test_a_secret_stands_nowhere_in_the_file_nor_in_what_is_said_of_it(
    record: Record, written: str, problem: str
) -> None:
    text = FILE.replace("password: {variable: WAREHOUSE}}", written)

    with pytest.raises(SettingsInvalid) as invalid, record.reading() as reading:
        declare.plan(reading, parse_settings(text, "f.yaml"), now=NOW)

    assert problem in str(invalid.value)
    assert "hunter2-canary" not in str(invalid.value)


@pytest.mark.promise("DATA-5", "AUTH-2")
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("password: hunter2-canary, ", "fields.password: is a secret, and secrets do not stand"),
        ("hots: x, ", "fields.hots: There is no field 'hots'."),
        ("readers: {a: b}, ", "fields.readers: expected text, a whole number, or true or false"),
        (
            "tls: hunter2-canary, ",
            "fields.tls: Encryption: one of verify, require, off is expected",
        ),
        ("accounts: registered, readers: x, ", "asked for only where accounts is own"),
    ],
)
def test_fields_that_a_kind_has_not_are_named_with_their_line(
    record: Record, fields: str, problem: str
) -> None:
    text = FILE.replace("tls: require", "").replace("{host:", f"{{{fields}host:")

    with pytest.raises(SettingsInvalid) as invalid, record.reading() as reading:
        declare.plan(reading, parse_settings(text, "f.yaml"), now=NOW)

    assert str(invalid.value).startswith("f.yaml:7: sources[0].")
    assert problem in str(invalid.value)
    assert "hunter2-canary" not in str(invalid.value)


@pytest.mark.promise("AUTH-2")
@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("groups: [vison]", "f.yaml:9: sources[0].audience.groups[0]: this file names no group"),
        ("people: [nobody]", "f.yaml:9: sources[0].audience.people[0]: this file names no person"),
    ],
)
def test_whom_a_source_is_shared_with_must_be_in_the_file(written: str, problem: str) -> None:
    text = FILE.replace("groups: [vision], people: [zoe]", written)

    with pytest.raises(SettingsInvalid) as invalid:
        parse_settings(text, "f.yaml")

    assert problem in str(invalid.value)


@pytest.mark.promise("AUTH-2")
def test_a_start_is_stopped_where_a_secret_of_a_new_source_is_not_there(
    record: Record, vault: Vault
) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        declare.apply_once(record, parse_settings(FILE, "f.yaml"), NOW, secrets_of(vault))

    assert str(invalid.value) == (
        "f.yaml:4: sources[0]: The secret password of source 'warehouse' cannot be read: the "
        "variable WAREHOUSE is not set."
    )
    with record.reading() as reading:
        assert sources.all_sources(reading) == ()


@pytest.mark.promise("OPS-1", "DATA-5")
def test_a_start_reads_no_secret_of_a_source_that_it_has_made(made: Record, vault: Vault) -> None:
    applied = declare.apply_once(made, parse_settings(FILE), NOW, secrets_of(vault))

    assert (applied.made, applied.left_alone) == ((), ())


@pytest.mark.promise("OPS-1", "DATA-5")
def test_what_is_exported_makes_the_same_sources_elsewhere_once_the_secrets_are_there(
    made: Record, vault: Vault, furnished: Furnished
) -> None:
    for name in ("shop-a", "shop_a"):
        wanted = Source(
            name,
            SourceKind.MARIADB,
            fields={"host": f"{name[-2:]}.example.com", "port": 3306, "database": "s", "user": "u"},
            secrets=("password",),
        )
        sealed = {"password": vault.encrypt("y")}
        by_an_operator(made, lambda w, one=wanted, kept=sealed: sources.create(w, one, kept))
    text = exported(made)
    places = {one["name"]: one.get("secrets") for one in yaml.safe_load(text)["sources"]}

    assert planned(made, text) == ()
    assert places == {
        "files": None,
        "shop-a": {"password": {"variable": "SHOP_A_PASSWORD"}},
        "shop_a": {"password": {"variable": "SHOP_A_PASSWORD_2"}},
        "warehouse": {"password": {"variable": "WAREHOUSE"}},
    }
    variables = {"WAREHOUSE": "1", "SHOP_A_PASSWORD": "2", "SHOP_A_PASSWORD_2": "3"}
    with furnished() as other:
        given = secrets_of(vault, text, **variables)
        declare.apply(other, parse_settings(text), actor="olga", now=NOW, secrets=given)
        assert exported(other) == text


@pytest.mark.promise("DATA-5", "OPS-1")
def test_a_hub_makes_declared_sources_at_its_start_with_keys_that_the_control_plane_finds(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (tmp_path / "password").write_text(f"{SECRET}\n")
    text = FILE.replace("{variable: WAREHOUSE}", "{file: password}")
    file = tmp_path / "allotment.yaml"
    file.write_text(f"{text}data: {{accept_secrets: true}}\n")

    prepare_record(load_settings(file, state), state / "first-passwords", NOW, state)

    with (
        closing(open_record(f"sqlite:///{state}/record.sqlite")) as record,
        record.reading() as reading,
    ):
        sealed = sources.sealed(reading, "warehouse")["password"]
    assert Vault(((state / "data.key").read_bytes().split()[0],)).decrypt(sealed) == SECRET
    assert SECRET.encode() not in (state / "record.sqlite").read_bytes()


@pytest.mark.promise("DATA-5")
def test_a_platform_that_keeps_no_secrets_starts_with_no_source_that_has_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "password").write_text(SECRET)
    file = tmp_path / "allotment.yaml"
    file.write_text(FILE.replace("{variable: WAREHOUSE}", "{file: password}"))

    with pytest.raises(SettingsInvalid, match="This platform keeps no secrets"):
        prepare_record(load_settings(file, tmp_path), tmp_path / "first", NOW, tmp_path)


@pytest.mark.promise("DATA-5")
def test_without_the_platforms_keys_no_source_with_a_secret_is_made(record: Record) -> None:
    offline = OfflineConfiguration(record)

    with pytest.raises(Refusal, match="keys of the platform's secrets are not known here"):
        offline.apply(FILE, secrets={"warehouse": {"password": SECRET}})

    assert planned(record) != ()


@pytest.mark.promise("OPS-1")
def test_the_example_in_the_demonstrations_settings_can_be_used() -> None:
    lines = (Path(__file__).parents[2] / "hub_config" / "allotment.yaml").read_text().splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("# data: "))
    example = "\n".join(line.removeprefix("# ") for line in lines[start : start + 3])

    (declared_source,) = parse_settings(example).sources

    assert (declared_source.name, tuple(source_problems(parse_settings(example)))) == ("shared", ())
