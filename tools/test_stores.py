"""A pytest plugin: object stores for tests, each started by the first test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# Their libraries take a second to import: only tests that ask for a store pay.
if TYPE_CHECKING:
    from ending_store import EndingStore
    from google_storage import GoogleStore
    from object_stores import AzureStore, S3Store


@pytest.fixture(scope="session")
def s3_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Store]:
    """SeaweedFS, for the whole session: make a bucket of your own in it."""
    from object_stores import seaweedfs  # noqa: PLC0415 - see above

    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as store:
        yield store


@pytest.fixture
def ending(s3_store: S3Store) -> Iterator[EndingStore]:
    """SeaweedFS behind a door that keeps to the ends in session policies, as Amazon's store does."""
    from ending_store import ending_store  # noqa: PLC0415 - see above

    with ending_store(s3_store) as store:
        yield store


@pytest.fixture(scope="session")
def azure_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureStore]:
    """Azurite, for the whole session: make a container of your own in it."""
    from object_stores import azurite  # noqa: PLC0415 - see above

    with azurite(tmp_path_factory.mktemp("azurite")) as store:
        yield store


@pytest.fixture(scope="session")
def gcs_store() -> Iterator[GoogleStore]:
    """Google's emulator behind a doorkeeper, for the whole session: make a bucket of your own in it."""
    from google_storage import google_store  # noqa: PLC0415 - see above

    with google_store() as store:
        yield store
