"""Folders of profile files: what they say comes into force, and what is broken does not."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allotment.record import Record, events, open_record, profiles
from allotment.record.profiles import PublishedProfile
from allotment.settings.catalogue import ACTOR, Catalogue, FoundProfile, Refreshed, read_profile

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = timedelta(seconds=10)
SHIPPED = Path(__file__).parents[2] / "profiles"

Published = Callable[[], dict[str, PublishedProfile]]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    yield opened
    opened.close()


@pytest.fixture
def published(record: Record) -> Published:
    def read() -> dict[str, PublishedProfile]:
        with record.reading() as reading:
            return {profile.name: profile for profile in profiles.all_profiles(reading)}

    return read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "profiles"
    made.mkdir()
    (made / "small.yaml").write_text("title: Small\ncpu: 1\n")
    return made


@pytest.mark.promise("PROFILE-1")
def test_the_profiles_that_are_shipped_are_all_good() -> None:
    found = [read_profile(file) for file in SHIPPED.iterdir()]

    assert {one.name for one in found} == {
        "minimal",
        "data-science",
        "spark",
        "tensorflow",
        "pytorch-gpu",
        "operator-console",
    }
    assert [one.problem for one in found if one.problem] == []


@pytest.mark.promise("PROFILE-1")
def test_a_profile_has_the_name_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "pytorch-gpu.yaml"
    file.write_text("title: PyTorch\ndevices: 1\nmemory: 16GiB\nprice: 2.40\n")

    found = read_profile(file).profile

    assert found is not None
    assert (found.name, found.devices, found.memory) == ("pytorch-gpu", 1, 16 * 2**30)
    assert str(found.price) == "2.4"


@pytest.mark.promise("PROFILE-2")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("titel: A\n", "p/x.yaml:1: titel: is not a key here; did you mean 'title'?"),
        ("cpu: 1\n", "p/x.yaml:1: title: is missing"),
        ("title: A\nmemory: 5 apples\n", "p/x.yaml:2: memory: '5 apples' is no amount of memory"),
        ("title: A\npool: 5\n", "expected any, a pool's name, or {model: …}, found the number 5"),
        ("title: A\nprice: -1\n", "p/x.yaml:2: price: expected at least 0, found the number -1"),
        ("title: A\nname: y\n", "p/x.yaml:2: name: the file's name says it: expected 'x'"),
        ("title: [\n", "is no YAML"),
        ("title: A\nvisible_to: {group: [a]}\n", "p/x.yaml:2: visible_to.group: is not a key here"),
    ],
)
def test_a_broken_file_is_named_with_line_and_reason(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "p" / "x.yaml"
    file.parent.mkdir()
    file.write_text(text)

    found = read_profile(file)

    assert found.profile is None
    assert problem in found.problem


def test_the_console_holds_no_devices(tmp_path: Path) -> None:
    file = tmp_path / "operator-console.yaml"
    file.write_text("title: Console\ndevices: 1\n")

    assert "the operator console holds no devices" in read_profile(file).problem


def test_a_file_whose_name_is_no_profiles_name_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "My Profile.yaml"
    file.write_text("title: Mine\n")

    assert "a profile has the name of its file: 'My Profile' is no name" in (
        read_profile(file).problem
    )


@pytest.mark.promise("PROFILE-2")
def test_a_published_file_is_offered_at_once(
    record: Record, folder: Path, published: Published
) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh(record, NOW)
    (folder / "large.yaml").write_text("title: Large\ncpu: 16\n")

    refreshed = catalogue.refresh(record, NOW + LATER)

    assert refreshed.published == ("large",)
    assert published()["large"].offered


@pytest.mark.promise("PROFILE-2")
def test_the_last_good_version_of_a_broken_file_stays_in_force(
    record: Record, folder: Path, published: Published
) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh(record, NOW)
    (folder / "small.yaml").write_text("title: Small\ncpu: none\n")

    refreshed = catalogue.refresh(record, NOW + LATER)

    small = published()["small"]
    assert small.offered
    assert small.profile is not None
    assert small.profile.cpu == 1
    assert small.problem == "profiles/small.yaml:2: cpu: expected a number, found 'none'"
    assert refreshed.broken == ("small",)
    assert refreshed.problems == (small.problem,)


def test_a_mended_file_is_in_force_without_a_problem(
    record: Record, folder: Path, published: Published
) -> None:
    catalogue = Catalogue([folder])
    (folder / "small.yaml").write_text("cpu: 1\n")
    catalogue.refresh(record, NOW)
    (folder / "small.yaml").write_text("title: Small\ncpu: 2\n")

    refreshed = catalogue.refresh(record, NOW + LATER)

    assert refreshed.problems == ()
    assert (published()["small"].problem, published()["small"].offered) == ("", True)


def test_a_profile_whose_file_is_gone_is_withdrawn(
    record: Record, folder: Path, published: Published
) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh(record, NOW)
    (folder / "small.yaml").unlink()

    refreshed = catalogue.refresh(record, NOW + LATER)

    assert refreshed.retired == ("small",)
    assert not published()["small"].offered


def test_a_folder_that_cannot_be_read_withdraws_nothing(
    record: Record, folder: Path, published: Published
) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh(record, NOW)
    folder.rename(folder.with_name("elsewhere"))

    refreshed = catalogue.refresh(record, NOW + LATER)

    assert refreshed.problems == (
        f"{folder}: the folder cannot be read: No such file or directory",
    )
    assert published()["small"].offered


def test_two_files_of_one_name_are_a_problem_and_change_nothing(
    record: Record, folder: Path, tmp_path: Path, published: Published
) -> None:
    catalogue = Catalogue([folder, tmp_path / "more"])
    (tmp_path / "more").mkdir()
    catalogue.refresh(record, NOW)
    (tmp_path / "more" / "small.yaml").write_text("title: Other\n")

    catalogue.refresh(record, NOW + LATER)

    small = published()["small"]
    assert small.problem == (
        f"{folder}/small.yaml and {tmp_path}/more/small.yaml both say what profile 'small' is; "
        "keep one of them"
    )
    assert small.profile is not None
    assert small.profile.title == "Small"


def test_a_link_inside_the_folder_is_followed(
    record: Record, folder: Path, published: Published
) -> None:
    (folder / "..data").mkdir()
    (folder / "..data" / "linked.yaml").write_text("title: Linked\n")
    (folder / "linked.yaml").symlink_to("..data/linked.yaml")

    Catalogue([folder]).refresh(record, NOW)

    assert published()["linked"].offered


@pytest.mark.parametrize("target", ["../secret.yaml", "nowhere.yaml", "/etc/hostname"])
def test_a_link_that_leads_out_or_nowhere_is_a_problem_and_not_read(
    record: Record, folder: Path, published: Published, target: str
) -> None:
    (folder.parent / "secret.yaml").write_text("title: Secret\n")
    (folder / "linked.yaml").symlink_to(target)

    Catalogue([folder]).refresh(record, NOW)

    assert published()["linked"].profile is None
    assert published()["linked"].problem.startswith("profiles/linked.yaml:1: cannot be read: ")


def test_a_pipe_in_the_folder_holds_nobody_up(
    record: Record, folder: Path, published: Published
) -> None:
    os.mkfifo(folder / "pipe.yaml")

    Catalogue([folder]).refresh(record, NOW)

    assert "it is not a file" in published()["pipe"].problem


def test_what_editors_leave_lying_about_is_no_profile(
    record: Record, folder: Path, published: Published
) -> None:
    for name in (".small.yaml.swp", "small.yaml~", ".hidden.yaml", "README.md"):
        (folder / name).write_text("title: X\n")

    Catalogue([folder]).refresh(record, NOW)

    assert set(published()) == {"small"}


def test_nothing_is_written_when_nothing_changed(record: Record, folder: Path) -> None:
    Catalogue([folder]).refresh(record, NOW)
    catalogue = Catalogue([folder])

    refreshed = catalogue.refresh(record, NOW + LATER)

    assert (refreshed.published, refreshed.broken, refreshed.retired) == ((), (), ())


def test_files_that_did_not_change_are_not_read_again(
    record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh(record, NOW)
    monkeypatch.setattr(
        "allotment.settings.catalogue.read_profile", lambda path: pytest.fail(f"read {path}")
    )

    assert catalogue.refresh(record, NOW + LATER).problems == ()


def test_a_file_that_changed_a_moment_ago_is_read_again_though_its_times_say_nothing(
    record: Record, folder: Path, published: Published
) -> None:
    just_now = datetime.now(UTC)
    catalogue = Catalogue([folder])
    catalogue.refresh(record, just_now)
    file = folder / "small.yaml"
    before = file.stat()
    file.write_text("title: Small\ncpu: 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    catalogue.refresh(record, just_now + timedelta(seconds=1))

    small = published()["small"].profile
    assert small is not None
    assert small.cpu == 2


def test_a_second_look_within_a_second_is_left_out(
    record: Record, folder: Path, published: Published
) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh(record, NOW)
    (folder / "large.yaml").write_text("title: Large\n")

    catalogue.refresh(record, NOW + timedelta(milliseconds=900))

    assert "large" not in published()


def test_nobody_waits_while_another_thread_looks(
    record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, go_on = threading.Event(), threading.Event()

    def slow(path: Path) -> FoundProfile:
        looking.set()
        go_on.wait(10)
        return read_profile(path)

    monkeypatch.setattr("allotment.settings.catalogue.read_profile", slow)
    catalogue = Catalogue([folder])
    first = threading.Thread(target=catalogue.refresh, args=(record, NOW))
    first.start()
    looking.wait(10)

    meanwhile = catalogue.refresh(record, NOW)

    go_on.set()
    first.join(10)
    assert meanwhile == Refreshed()


def test_hub_and_control_plane_that_look_at_once_publish_once(record: Record, folder: Path) -> None:
    looks = [
        threading.Thread(target=Catalogue([folder]).refresh, args=(record, NOW)) for _ in range(4)
    ]
    for look in looks:
        look.start()
    for look in looks:
        look.join()

    with record.reading() as reading:
        kinds = [event.kind for event in events.after(reading, 0) if event.actor == ACTOR]
    assert kinds == ["profile.published"]


def test_a_disabled_profile_stays_disabled_when_its_file_changes(
    record: Record, folder: Path, published: Published
) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh(record, NOW)
    with record.writing("operator", NOW) as writing:
        profiles.set_enabled(writing, "small", enabled=False)
    (folder / "small.yaml").write_text("title: Small\ncpu: 2\n")

    catalogue.refresh(record, NOW + LATER)

    assert not published()["small"].offered
