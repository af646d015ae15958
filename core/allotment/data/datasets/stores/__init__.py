"""One way to list and read files, wherever they lie: :func:`open_store`."""

from __future__ import annotations

from allotment.data.datasets.stores.store import Store
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.model.sources import Credential, SourceKind


def open_store(kind: SourceKind | None, credential: Credential | None, door: Door) -> Store:
    """Open what a server would read with this credential, and nothing beyond it.

    Without a kind these are the files below the platform's own data folders. Close it after use.

    Raises:
        SourceProblem: the kind holds no files, or its address may not be opened.
    """
    fields = credential.fields if credential else {}
    # The providers' libraries take a second to import: only who opens such a store waits for it.
    if kind is None or kind is SourceKind.FOLDER:
        from allotment.data.datasets.stores.folder import FolderStore  # noqa: PLC0415 - see above

        return FolderStore(door, str(fields["path"]) if kind else None)
    if kind is SourceKind.S3:
        from allotment.data.datasets.stores.s3 import S3Store  # noqa: PLC0415 - see above

        return S3Store(fields, door)
    if kind is SourceKind.AZURE:
        from allotment.data.datasets.stores.azure import AzureStore  # noqa: PLC0415 - see above

        return AzureStore(fields, door)
    if kind is SourceKind.GCS:
        from allotment.data.datasets.stores.gcs import GcsStore  # noqa: PLC0415 - see above

        return GcsStore(fields, door)
    raise SourceProblem(
        f"A {kind.value} source holds tables, not files.",
        remedy="Datasets are registered through object stores and folders.",
    )
