"""Asking again what the database took back.

A function that is one transaction, and does nothing else, may be asked again where the database undid
it: a serialisation failure, a deadlock, a connection that was lost before the commit.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from allotment.model.refusals import RecordUndone

log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
MOST = 4
"""Times that one transaction is tried. Each conflict lets at least one of those in it through."""


def again_where_undone(transaction: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Try a transaction again where nothing of it was written, a few times.

    Raises:
        RecordUndone: it was undone each time.
    """

    @functools.wraps(transaction)
    def tried(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        for _ in range(MOST - 1):
            try:
                return transaction(*args, **kwargs)
            except RecordUndone as undone:
                log.info("%s is tried again: %s", transaction.__name__, undone)
        return transaction(*args, **kwargs)

    return tried
