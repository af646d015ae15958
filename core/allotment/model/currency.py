"""The currency in which a platform's money is written.

Amounts are plain numbers everywhere: one platform has one currency, and nothing is ever converted.
How they are written is a matter of a whole process, like a locale: the hub and the control plane say
it at their start, from the settings; programs that ask them say what they were told.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪"}
"""Signs that stand for one currency only, or that everybody reads so."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its code (ISO 4217) and the sign that is written before amounts. Empty: none is written."""

    code: str = ""
    sign: str = ""

    @classmethod
    def of(cls, code: str, sign: str = "") -> Currency:
        """A currency with the sign it is known by, else its code."""
        return cls(code, sign or SIGNS.get(code, code))

    def words(self, amount: str) -> str:
        """An amount with its sign: ``€ 2.40``."""
        return f"{self.sign} {amount}" if self.sign else amount


_in_force = Currency()
_asked: ContextVar[Callable[[], Currency] | None] = ContextVar("asked", default=None)


def in_force() -> Currency:
    """The currency that money is written in here: what was learned, else what the process was told."""
    source = _asked.get()
    return _in_force if source is None else source()


def write_money_in(currency: Currency) -> None:
    """Have this process write money in a currency."""
    global _in_force  # noqa: PLW0603 - one for the whole process, as the module says
    _in_force = currency
    _asked.set(None)


def learn_from(source: Callable[[], Currency]) -> None:
    """Ask for the currency when money is first written in this context; what is asked may block.

    Of the context, not of the process: where a program and the control plane that it asks are one
    process, the control plane must not ask itself.
    """
    _asked.set(cache(source))
