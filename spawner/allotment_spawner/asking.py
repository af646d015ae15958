"""The record, asked from an event loop: in threads, with a time limit, never in the loop itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, open_record
from allotment_spawner import measures
from allotment_spawner.measures import Decision

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


class AsyncRecord:
    """One record for one event loop. It is opened by the first question, in a thread as well."""

    def __init__(self, url: str, *, threads: int = 8, patience: float = 10.0) -> None:
        self._url, self._patience = url, patience
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="allotment-record")
        self._opening = threading.Lock()
        self._record: Record | None = None
        self._look: Callable[[Record], object] | None = None

    def look_first(self, look: Callable[[Record], object]) -> None:
        """Look at something before every question, in its thread: at the folders of profiles, say.

        The question is asked whatever becomes of the look.
        """
        self._look = look

    async def ask(
        self,
        question: Callable[[Record], Answer],
        *,
        limit: float | None = None,
        late: Callable[[Record, Answer], object] | None = None,
    ) -> Answer:
        """Put a question to the record and wait for its answer, at most ``limit`` seconds.

        A question whose asker is gone (its time is up, or the asker was cancelled) may already be
        on its way. If it is answered nevertheless, ``late`` is told, so that nothing that was
        decided stays unknown.

        Raises:
            RecordUnavailable: there was no answer in time.
        """
        patience = self._patience if limit is None else limit
        future = self._threads.submit(self._answer, question)
        try:
            async with asyncio.timeout(patience):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            measures.answered(up=False)
            self._when_late(future, late)
            raise RecordUnavailable(
                f"The record did not answer within {patience:g} s. Try again in a minute."
            ) from error
        except asyncio.CancelledError:
            self._when_late(future, late)
            raise

    async def decide(
        self,
        question: Callable[[Record], Decision],
        *,
        limit: float,
        late: Callable[[Record, Decision], object],
    ) -> Decision:
        """Ask for a decision on a launch, as :meth:`ask` does; it is counted and measured."""
        return await measures.decided(self.ask(question, limit=limit, late=late))

    def later(self, job: Callable[[Record], object]) -> None:
        """Do something with the record in a thread, with nobody waiting for it. What fails is logged."""
        self._threads.submit(self._alone, job)

    def close(self) -> None:
        """Answer what was asked, then close the record."""
        self._threads.shutdown(wait=True)
        if self._record is not None:
            self._record.close()

    def _answer(self, question: Callable[[Record], Answer]) -> Answer:
        try:
            answer = self._look_and_ask(question)
        except RecordUnavailable:
            measures.answered(up=False)
            raise
        measures.answered(up=True)
        return answer

    def _look_and_ask(self, question: Callable[[Record], Answer]) -> Answer:
        record = self._opened()
        if self._look is not None:
            try:
                self._look(record)
            except Exception:  # noqa: BLE001 - whatever it is, it is no reason to leave a question unasked
                _log.exception("What is looked at before the record is asked could not be seen.")
        return question(record)

    def _opened(self) -> Record:
        with self._opening:
            if self._record is None:
                self._record = open_record(self._url, patience=self._patience)
            return self._record

    def _when_late(
        self, future: Future[Answer], late: Callable[[Record, Answer], object] | None
    ) -> None:
        """Hand a late answer over in a thread: this runs in whichever thread finished it, or in the loop."""

        def hand_over(done: Future[Answer]) -> None:
            if late is not None and not done.cancelled() and done.exception() is None:
                self._threads.submit(self._tell, late, done.result())

        future.add_done_callback(hand_over)

    def _alone(self, job: Callable[[Record], object]) -> None:
        try:
            job(self._opened())
        except Exception:  # noqa: BLE001 - nobody waits for this thread: it must speak for itself
            _log.exception("What was to be done with the record later failed.")

    def _tell(self, late: Callable[[Record, Answer], object], answer: Answer) -> None:
        try:
            late(self._opened(), answer)
        except Exception:  # noqa: BLE001 - nobody waits for this thread: it must speak for itself
            _log.exception("A late answer of the record could not be dealt with.")


@cache
def record_at(url: str) -> AsyncRecord:
    """The one :class:`AsyncRecord` of this process for a record's URL."""
    return AsyncRecord(url)
