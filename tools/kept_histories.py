"""A target of versions in folders, as most tests of versions and models need one."""

from __future__ import annotations

from pathlib import Path

from allotment.client import AllotmentClient


def keep_history(client: AllotmentClient, root: Path) -> None:
    """Set up the target ``history``: ``histories`` and ``contents`` below a folder."""
    client.targets.create(
        "history",
        metadata_kind="folder",
        metadata={"path": str(root / "histories")},
        contents_kind="folder",
        contents={"path": str(root / "contents")},
    )
