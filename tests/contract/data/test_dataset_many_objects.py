"""A bucket of a hundred thousand keys: listed as far as a dataset may go, and no further."""

from __future__ import annotations

from contextlib import closing
from ipaddress import ip_network

import pytest

from allotment.data.datasets.listing import MOST_FILES, list_files
from allotment.data.datasets.patience import Patience
from allotment.data.datasets.stores import open_store
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.model.sources import Credential, SourceKind
from many_objects import PAGE, many_objects


@pytest.mark.promise("SET-3")
def test_a_bucket_of_more_keys_than_a_dataset_may_have_is_refused_after_its_listing() -> None:
    door = Door(networks=(ip_network("127.0.0.0/8"),))

    with many_objects(MOST_FILES + 1, b"") as objects:
        credential = Credential(objects.fields)
        with (
            closing(open_store(SourceKind.S3, credential, door)) as store,
            pytest.raises(SourceProblem, match="name more than 100,000 files"),
        ):
            list_files(["s3://many/"], store, Patience(seconds=None))

    assert (objects.listings, objects.reads) == (MOST_FILES // PAGE + 1, 0)
