"""Allotment: GPUs, quotas, people and data on JupyterHub, decided by one record.

In a notebook: ``allotment.example()`` writes an example to begin with, ``allotment.sources()`` and
``allotment.datasets()`` list what may be used. These, ``allotment.load``, ``allotment.sql`` and the
other words of :mod:`allotment.notebook` are found here too. They are loaded when they are first used: ``import allotment`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allotment.notebook import (
        browse,
        commit,
        connect,
        datasets,
        delete_model,
        environment,
        example,
        load,
        load_model,
        models,
        path,
        register,
        register_model,
        sources,
        sql,
        test,
        versions,
    )

__all__ = [
    "browse",
    "commit",
    "connect",
    "datasets",
    "delete_model",
    "environment",
    "example",
    "load",
    "load_model",
    "models",
    "path",
    "register",
    "register_model",
    "sources",
    "sql",
    "test",
    "versions",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from allotment import notebook  # noqa: PLC0415 - only who uses it pays for it

    return getattr(notebook, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
