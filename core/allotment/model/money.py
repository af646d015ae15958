"""Money and use: what was used, in exact whole numbers, and how it is written.

Sums are kept as whole microseconds and as whole *millionths of a unit of money times microseconds per
hour*, so that parts add up to their whole, whatever they were split by. They become decimals only
where they are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any

from allotment.model import currency

MILLION = 10**6
HOUR = 3600 * MILLION
"""An hour in microseconds."""
_PLACES = Decimal("0.000001")


def price_in_millionths(price: Any) -> int:
    """A price per hour, as a profile's terms hold it, in whole millionths; none is nothing.

    Prices have at most six places after the point, so this is exact.
    """
    return 0 if price is None else int(Decimal(str(price)).scaleb(6).to_integral_value())


@dataclass(frozen=True, slots=True)
class Use:
    """What was used, exactly.

    ``time`` is in microseconds of servers, ``device_time`` in microseconds of devices, ``charge`` in
    millionths of a unit of money times microseconds (an hour of a price of 1 is ``MILLION * HOUR``).
    ``sessions`` counts the launches of which it is a part.
    """

    time: int = 0
    device_time: int = 0
    charge: int = 0
    sessions: int = 0

    def __add__(self, other: Use) -> Use:
        """Both together."""
        return Use(
            self.time + other.time,
            self.device_time + other.device_time,
            self.charge + other.charge,
            self.sessions + other.sessions,
        )

    @property
    def hours(self) -> Decimal:
        """Hours of servers, to a millionth."""
        return hours(self.time)

    @property
    def device_hours(self) -> Decimal:
        """Hours of devices, to a millionth."""
        return hours(self.device_time)

    @property
    def cost(self) -> Decimal:
        """Money, to a millionth of a unit."""
        return money(self.charge)


def hours(microseconds: int) -> Decimal:
    """Microseconds in hours, to a millionth."""
    return (Decimal(microseconds) / HOUR).quantize(_PLACES, ROUND_HALF_EVEN)


def money(charge: int) -> Decimal:
    """A charge (millionths of money times microseconds) in money, to a millionth."""
    return (Decimal(charge) / (HOUR * MILLION)).quantize(_PLACES, ROUND_HALF_EVEN)


def charge_of(amount: Decimal) -> int:
    """An amount of money, with at most six places after the point, as an exact charge."""
    return int(amount.scaleb(6).to_integral_value()) * HOUR


def cost_of(price: Decimal | None, span: timedelta) -> Decimal | None:
    """What a span of time costs at a price per hour, to a millionth; None where there is no price."""
    if price is None:
        return None
    return money(price_in_millionths(price) * max(0, span // timedelta(microseconds=1)))


def money_words(amount: Decimal) -> str:
    """Write money with two places, as people read it: ``€ 1,204.50``."""
    return currency.in_force().words(f"{amount.quantize(Decimal('0.01')):,.2f}")


def price_words(price: Decimal) -> str:
    """Write a price with at least two decimals, and no more than it has: ``€ 2.40``, ``€ 0.185``."""
    exact = price.normalize()
    exponent = exact.as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    return currency.in_force().words(f"{price:,.{digits}f}")


class Dimension(StrEnum):
    """What use is added up by."""

    PERSON = "person"
    GROUP = "group"
    DEPARTMENT = "department"
    TAG = "tag"
    POOL = "pool"
    PROFILE = "profile"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Used:
    """One line of a table of use: what it is of, by dimension (empty: of none), and how much."""

    names: tuple[str, ...]
    use: Use
