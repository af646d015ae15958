"""Quantities of Kubernetes: ``500m``, ``1Gi``, ``1e3``."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

QUANTITY = re.compile(
    r"^(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?P<suffix>[eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$"
)
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
WRONG = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


@cache
def quantity(text: str) -> Decimal:
    """The number that a quantity means.

    Raises:
        ValueError: it is none.
    """
    match = QUANTITY.match(text)
    if match is None:
        raise ValueError(WRONG)
    number, suffix = Decimal(match["number"]), match["suffix"] or ""
    if suffix in BINARY:
        return number * Decimal(2 ** BINARY[suffix])
    if suffix in DECIMAL:
        return number.scaleb(DECIMAL[suffix])
    return number.scaleb(int(suffix[1:]))


def written(number: Decimal) -> str:
    """A number as a plain quantity; parts of one in thousandths."""
    if number == number.to_integral_value():
        return str(int(number))
    return f"{int((number * 1000).to_integral_value(rounding='ROUND_CEILING'))}m"


def alike(number: Decimal, pattern: str) -> str:
    """A number written as another is: in ``Gi`` and their like where that comes out even."""
    match = QUANTITY.match(pattern)
    if match is None or match["suffix"] not in BINARY:
        return written(number)
    for suffix, power in reversed(BINARY.items()):
        unit = Decimal(2**power)
        if number and number % unit == 0:
            return f"{int(number / unit)}{suffix}"
    return written(number)
