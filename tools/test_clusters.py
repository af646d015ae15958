"""A pytest plugin: a Kubernetes cluster for tests, started by the first test that asks for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# The generated client takes a second to import: only tests that ask for a cluster pay.
if TYPE_CHECKING:
    from cluster import Cluster


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for the whole session, without nodes: use a namespace and nodes of your own.

    A test that makes the API server go away, or compacts its past, starts a cluster of its own.
    """
    from cluster import cluster  # noqa: PLC0415 - see above

    with cluster(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running


@pytest.fixture
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for one test, which may do to it what it likes."""
    from cluster import cluster  # noqa: PLC0415 - see above

    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def namespace(kubernetes: Cluster) -> Iterator[str]:
    """The name of a fresh namespace of the session's cluster; it goes with all that is in it."""
    name = f"test-{secrets.token_hex(4)}"
    kubernetes.add_namespace(name)
    yield name
    kubernetes.remove_namespace(name)
