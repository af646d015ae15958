"""JupyterHub's own database on one machine: a commit waits for no disk, and a hub's death loses nothing."""

import stat
from pathlib import Path

import sqlalchemy as sa
from jupyterhub import orm

from allotment_hub.launch.hub_database import engine_options


def test_a_commit_of_the_hub_is_in_the_log_at_once_and_waits_for_no_disk(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub.sqlite"
    file.touch(mode=0o600)
    session = orm.new_session_factory(f"sqlite:///{file}", **engine_options())()
    session.add(orm.User(name="erin"))
    session.commit()
    assert session.scalar(sa.text("PRAGMA synchronous")) == 1
    assert session.scalar(sa.text("PRAGMA foreign_keys")) == 1
    log = file.with_name("jupyterhub.sqlite-wal")
    assert b"erin" in log.read_bytes()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_next_hub_finds_what_one_that_was_killed_had_committed(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub.sqlite"
    url = f"sqlite:///{file}"
    dead = orm.new_session_factory(url, **engine_options())()
    dead.add(orm.User(name="erin"))
    dead.commit()
    copies = tmp_path / "after"
    copies.mkdir()
    for part in tmp_path.glob("jupyterhub.sqlite*"):
        (copies / part.name).write_bytes(part.read_bytes())
    found = orm.new_session_factory(f"sqlite:///{copies / file.name}", **engine_options())()
    assert [user.name for user in found.query(orm.User)] == ["erin"]
