"""Cleaning targets: nothing that anybody needs is ever removed, in any history; all else is."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from allotment.data.door import Door
from allotment.data.keys import new_key
from allotment.data.problems import SourceProblem
from allotment.data.vault import Vault
from allotment.data.versions import committing as carrying_out
from allotment.data.versions.kept_files import Keeping, open_file
from allotment.data.versions.kept_files import new_key as new_file_key
from allotment.data.versions.reading import files_of_version, uris_of
from allotment.model.datasets import Dataset, FileFormat
from allotment.model.refusals import AlreadyExists, NotFound, Refusal
from allotment.model.registered_models import RegisteredModel
from allotment.model.versions import ContentsKind, MetadataKind, VersionState, VersionTarget
from allotment.record import (
    Record,
    datasets,
    open_record,
    people,
    registered_models,
    targets,
    versions,
)
from allotment.work import committing as work_committing
from allotment.work.cleaning import Cleaning, Unneeded
from allotment.work.data_work import DataWork

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
WAIT = 60
NAMES = st.sampled_from(["sales", "wages"])
FILES = st.sampled_from(["a.csv", "b.csv"])
NUMBERS = st.integers(1, 4)


class Platform:
    """A control plane's data over folders, whose commits are carried out in this process."""

    def __init__(self, root: Path, record: Record) -> None:
        self.record, self.root, self.now = record, root, START
        self.door = Door(roots=(root / "data", root / "kept"))
        self.work = DataWork.of(
            record, Vault((new_key(),)), self.door, root / "work", lambda: self.now
        )
        self.breaking = False
        for name in ("data/sales", "data/wages", "kept", "work"):
            (root / name).mkdir(parents=True, exist_ok=True)
        target = VersionTarget(
            "history",
            MetadataKind.FOLDER,
            ContentsKind.FOLDER,
            metadata={"path": str(root / "kept" / "histories")},
            contents={"path": str(root / "kept" / "contents")},
        )
        with self.writing() as writing:
            people.onboard(writing, ["olga"], None, "operator")
            targets.create(writing, target, {})

    def writing(self) -> Any:
        return self.record.writing("olga", self.now)

    def write(self, name: str, file: str, number: int) -> None:
        (self.root / "data" / name / file).write_text(f"n\n{number}\n")

    def register(self, name: str) -> None:
        uris = (f"{self.root}/data/{name}/",)
        wanted = Dataset(name, uris, FileFormat.CSV, target="history", created_by="olga")
        with self.writing() as writing:
            datasets.create(writing, wanted)

    def commit(self, name: str, target: str = "history") -> None:
        with self.record.reading() as reading:
            dataset = datasets.get(reading, name)
        with mock.patch.object(work_committing, "commit_apart", self._here):
            self.work.committing.begin(dataset, target, "More", "olga")
            self.work.committing.wait(WAIT)

    def _here(self, request: Any, progress: Any, lend: Any) -> Any:
        if not self.breaking:
            return carrying_out.commit(request, progress, lend)
        broken = SourceProblem("The target is away.")
        with mock.patch.object(carrying_out, "_named", side_effect=broken):
            return carrying_out.commit(request, progress, lend)

    def clean(self) -> tuple[Unneeded, ...]:
        found, complete = self.work.cleaning.clean("history", "olga")
        assert complete
        return found

    def objects(self) -> dict[str, Path]:
        contents = self.root / "kept" / "contents"
        return {str(one.relative_to(contents)): one for one in contents.rglob("*") if one.is_file()}

    def needed(self) -> set[str]:
        """What committed versions and models need, found out without the code that cleans."""
        contents, found = self.root / "kept" / "contents", set()
        opened = self.work.committing.opened("history")
        with self.record.reading() as reading:
            committed = [
                version
                for one in datasets.all_datasets(reading)
                for version in versions.of(reading, one.name)
                if version.state is VersionState.COMMITTED
            ]
            models = [one for one in registered_models.all_models(reading) if one.key]
        for version in committed:
            files = files_of_version(opened, version, self.door, self.root / "work")
            uris = [Path(one) for one in uris_of(opened, version.space, files)]
            for file, place in zip(files, uris, strict=True):
                assert hashlib.md5(place.read_bytes()).hexdigest() == file.md5  # noqa: S324 - DVC's names
            found |= {str(one.relative_to(contents)) for one in uris}
        for model in models:
            told = b"".join(open_file(opened, model.key, self.door))
            assert hashlib.sha256(told).hexdigest() == model.sha256
            found.add(f"_models/{model.key}")
        return found


class Histories(RuleBasedStateMachine):
    """Random histories of two datasets and a model, with cleaning in between."""

    make: Callable[[], Platform]

    def __init__(self) -> None:
        super().__init__()
        self.platform = self.make()
        self.theirs = self.platform.root / "kept" / "contents"
        for place in ("other-0f/files/md5/aa/bb", "_models/theirs/1-ab"):
            (self.theirs / place).parent.mkdir(parents=True)
            (self.theirs / place).write_text("another platform's")

    def teardown(self) -> None:
        self.platform.work.close()
        self.platform.record.close()

    @rule(name=NAMES, file=FILES, number=NUMBERS)
    def write(self, name: str, file: str, number: int) -> None:
        self.platform.write(name, file, number)

    @rule(name=NAMES, file=FILES, number=NUMBERS, breaking=st.booleans())
    def commit(self, name: str, file: str, number: int, breaking: bool) -> None:
        self.platform.write(name, file, number)
        self.platform.breaking = breaking
        try:
            self.platform.commit(name)
        except NotFound:
            self.platform.register(name)

    @rule(name=NAMES)
    def die_in_mid_commit(self, name: str) -> None:
        """A commit of a control plane that is gone: the record believes in it for two minutes."""
        try:
            with self.platform.writing() as writing:
                versions.begin(writing, name, "history", "Died", "olga")
        except NotFound:
            return

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        try:
            with self.platform.writing() as writing:
                datasets.delete(writing, name)
        except NotFound:
            return

    @rule(number=NUMBERS, arrives=st.booleans())
    def send_a_model(self, number: int, arrives: bool) -> None:
        """A model's file is sent; the record hears of it, or its control plane dies just before."""
        model = RegisteredModel("churn", "1", "olga", target="history")
        with self.platform.writing() as writing:
            try:
                model = registered_models.create(writing, model)
            except AlreadyExists:
                model = registered_models.get(writing, "churn", "1")
        content, key = f"weights {number}".encode(), new_file_key("churn", "1")
        with self.platform.writing() as writing:
            registered_models.coming(writing, model, key, len(content))
        opened = self.platform.work.committing.opened("history")
        with closing(Keeping(opened, self.platform.door, self.platform.root / "work")) as keeping:
            keeping.write(content)
            keeping.keep(key)
        if arrives:
            with self.platform.writing() as writing:
                more = {"file": "w", "size": keeping.size, "sha256": keeping.sha256, "key": key}
                registered_models.kept(writing, model, **more)

    @rule()
    def delete_the_model(self) -> None:
        try:
            with self.platform.writing() as writing:
                model = registered_models.get(writing, "churn", "1")
                registered_models.delete(writing, model)
        except NotFound:
            return

    @rule(minutes=st.sampled_from([1, 5, 20]))
    def wait(self, minutes: int) -> None:
        self.platform.now += timedelta(minutes=minutes)
        self.platform.work.committing.round(self.platform.now)

    @rule()
    def clean(self) -> None:
        self.platform.clean()

    @invariant()
    def nothing_that_is_needed_is_gone(self) -> None:
        assert self.platform.needed() <= self.platform.objects().keys()

    @rule()
    def clean_when_nothing_is_under_way(self) -> None:
        platform = self.platform
        platform.now += timedelta(days=2)
        platform.work.committing.round(platform.now)
        platform.clean()
        files = {one for one in platform.objects() if "/allotment/" not in one}
        lists = {one for one in files if one.endswith(".dir")}
        theirs = {"other-0f/files/md5/aa/bb", "_models/theirs/1-ab"}
        assert files - lists == platform.needed() | theirs


@pytest.mark.promise("SET-4", "MODEL-1")
def test_cleaning_removes_all_that_nothing_needs_and_nothing_else_in_every_history(
    soak: bool, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def make() -> Platform:
        root = tmp_path_factory.mktemp("platform")
        shutil.copy(migrated_sqlite, root / "record.sqlite")
        return Platform(root, open_record(f"sqlite:///{root}/record.sqlite"))

    machine = type("History", (Histories,), {"make": staticmethod(make)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if soak else 10,
            stateful_step_count=40 if soak else 14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def platform(migrated_sqlite: Path, tmp_path: Path) -> Any:
    """A platform with a dataset."""
    shutil.copy(migrated_sqlite, tmp_path / "record.sqlite")
    platform = Platform(tmp_path, open_record(f"sqlite:///{tmp_path}/record.sqlite"))
    platform.write("sales", "a.csv", 1)
    platform.register("sales")
    yield platform
    platform.work.close()
    platform.record.close()


@pytest.mark.promise("SET-4")
def test_what_is_told_is_what_is_removed(platform: Platform) -> None:
    platform.commit("sales")
    with platform.writing() as writing:
        datasets.delete(writing, "sales")
    [soon] = platform.work.cleaning.look("history")
    platform.now += timedelta(minutes=11)

    [told] = platform.work.cleaning.look("history")
    [removed] = platform.clean()

    assert "deleted a moment ago" in soon.problem
    assert (told.label, told.files, told.removed) == ("dataset sales", 3, 0)
    assert (removed.files, removed.size, removed.removed) == (3, told.size, 3)
    assert platform.work.cleaning.look("history") == ()
    assert list((platform.root / "kept" / "contents").iterdir()) == []


@pytest.mark.promise("SET-4")
def test_contents_that_were_cleaned_away_are_sent_again_when_a_commit_needs_them(
    platform: Platform,
) -> None:
    platform.breaking = True
    platform.commit("sales")
    [left] = platform.clean()
    platform.breaking = False

    platform.commit("sales")

    assert (left.label, left.removed) == ("dataset sales", 1)
    assert len(platform.needed()) == 1


@pytest.mark.promise("SET-4")
def test_a_commit_that_is_cleaned_around_is_whole(platform: Platform) -> None:
    told: list[Unneeded] = []
    named = carrying_out._named

    def clean_first(*given: Any) -> Any:
        told.extend(platform.clean())
        return named(*given)

    with mock.patch.object(carrying_out, "_named", clean_first):
        platform.commit("sales")

    assert "a commit of it is under way" in told[0].problem
    assert len(platform.needed()) == 1


@pytest.mark.promise("SET-4")
def test_a_commit_that_came_between_looking_and_removing_is_whole(platform: Platform) -> None:
    platform.breaking = True
    platform.commit("sales")
    platform.breaking = False
    begin = Cleaning._begin

    def commit_first(*given: Any) -> bool:
        platform.commit("sales")
        return begin(*given)

    with mock.patch.object(Cleaning, "_begin", commit_first):
        platform.work.cleaning.clean("history", "olga")

    assert len(platform.needed()) == 1


@pytest.mark.promise("MODEL-1")
def test_a_models_file_on_its_way_is_left_for_a_day_and_not_named_after_that(
    platform: Platform,
) -> None:
    with platform.writing() as writing:
        wanted = RegisteredModel("churn", "1", "olga", target="history")
        model = registered_models.create(writing, wanted)
        registered_models.coming(writing, model, "churn/1-0f", 7)

    [soon] = platform.clean()
    platform.now += timedelta(days=1, minutes=1)
    [later] = platform.clean()

    assert "may be on its way" in soon.problem
    assert (later.label, later.removed, later.size) == ("model churn 1", 1, 7)
    with pytest.raises(NotFound), platform.writing() as writing:
        registered_models.kept(writing, model, file="w", size=7, sha256="", key="churn/1-0f")


@pytest.mark.promise("SET-4")
def test_no_commit_begins_while_a_target_is_cleaned(platform: Platform) -> None:
    platform.breaking = True
    platform.commit("sales")
    platform.breaking = False
    refused: list[str] = []

    def commit_meanwhile(*_given: Any) -> None:
        with pytest.raises(Refusal) as told:
            platform.commit("sales")
        refused.append(str(told.value))

    place = "allotment.data.versions.contents.FolderContents.drop"
    with mock.patch(place, commit_meanwhile):
        platform.clean()

    assert "is being cleaned" in refused[0]
    platform.commit("sales")
    assert platform.needed()


@pytest.mark.promise("SET-4")
def test_a_history_that_cannot_be_read_leaves_all_contents(platform: Platform) -> None:
    platform.commit("sales")
    platform.breaking = True
    platform.write("sales", "a.csv", 2)
    platform.commit("sales")
    before = platform.objects().keys()
    shutil.rmtree(platform.root / "kept" / "histories")

    [told] = platform.clean()

    assert "has no commit" in told.problem
    assert platform.objects().keys() == before


@pytest.mark.promise("SET-4")
def test_versions_in_a_target_on_the_same_place_are_left_alone(platform: Platform) -> None:
    with platform.writing() as writing:
        known = targets.get(writing, "history")
        targets.create(writing, replace(known, name="same-place"), {})
        datasets.edit(writing, replace(datasets.get(writing, "sales"), target="same-place"))
    platform.commit("sales", "same-place")
    platform.now += timedelta(minutes=11)

    platform.clean()

    assert len(platform.needed()) == 1


@pytest.mark.promise("SET-4")
def test_a_target_that_keeps_earlier_versions_is_not_deleted(platform: Platform) -> None:
    platform.commit("sales")
    with platform.writing() as writing:
        known = datasets.get(writing, "sales")
        datasets.edit(writing, replace(known, target=None))

    with pytest.raises(Refusal, match="it keeps sales"), platform.writing() as writing:
        targets.delete(writing, "history")
