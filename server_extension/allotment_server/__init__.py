"""Jupyter Server extension: what a server tells its user, and reports to the control plane."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server what to load. Imported there only: nobody else pays for it."""
    from allotment_server.application import AllotmentServer  # noqa: PLC0415 - see above

    return [{"module": "allotment_server", "app": AllotmentServer}]
