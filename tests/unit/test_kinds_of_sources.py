"""A kind of source is known wherever kinds are told apart: what was forgotten for a new one is found here."""

from __future__ import annotations

import pytest

from allotment.data.datasets import uris
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Lends
from allotment.data.kinds.lasting import LASTS
from allotment.model.sources import SourceKind
from allotment.notebook import source_paths
from allotment.notebook.databases import DATABASES
from allotment.notebook.stores import STORES
from allotment_widgets import source_rows

FILES = {name for name, kind in KINDS.items() if kind.holds_files}
FIELDS = {name: {one.name for one in kind.fields} for name, kind in KINDS.items()}


@pytest.mark.promise("DATA-1")
def test_every_kind_can_be_registered() -> None:
    assert set(KINDS) == set(SourceKind)
    assert all(kind.kind is name for name, kind in KINDS.items())


@pytest.mark.promise("DATA-6")
def test_every_kind_is_read_in_a_notebook_by_its_tables_or_its_files() -> None:
    assert set(DATABASES) == set(KINDS) - FILES
    assert set(STORES) == FILES
    assert set(source_paths._SCHEMES) == FILES - {SourceKind.FOLDER}


@pytest.mark.promise("SET-1")
def test_datasets_are_made_of_every_kind_that_holds_files() -> None:
    assert set(uris._SCHEMES.values()) == FILES
    assert set(uris._PLACES) == set(uris._WRITTEN) == FILES - {SourceKind.FOLDER}


@pytest.mark.promise("DATA-7")
def test_what_cannot_be_taken_back_has_a_life_that_its_form_chooses() -> None:
    ending = {name for name, kind in KINDS.items() if kind.lends is Lends.ENDING}

    assert ending == {name for name, fields in FIELDS.items() if LASTS.name in fields}


@pytest.mark.promise("ADMIN-3")
def test_the_console_knows_which_kinds_are_databases_and_which_are_opened_by_their_path() -> None:
    assert set(source_rows.DATABASES) == set(KINDS) - FILES
    assert set(source_rows.BY_PATH) == {name for name, fields in FIELDS.items() if "path" in fields}
