"""The currency in which a platform's money is written.

Amounts are plain numbers everywhere: one platform has one currency, and nothing is ever converted.
How they are written is a matter of a whole process, like a locale: the hub and the control plane say
it at their start, from the settings; programs that ask them say what they were told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

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


class _Process:
    """What this process writes money in, or whom it asks when it first writes some."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.currency = Currency()
        self.source: Callable[[], Currency] | None = None


_process = _Process()


def in_force() -> Currency:
    """The currency that this process writes money in."""
    if _process.source is None:
        return _process.currency
    with _process.lock:
        if _process.source is not None:
            _process.currency, _process.source = _process.source(), None
        return _process.currency


def write_money_in(currency: Currency) -> None:
    """Have this process write money in a currency."""
    with _process.lock:
        _process.currency, _process.source = currency, None


def learn_from(source: Callable[[], Currency]) -> None:
    """Have this process ask for the currency when it first writes money; what is asked may block."""
    with _process.lock:
        _process.source = source
