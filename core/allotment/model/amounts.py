"""Amounts of memory, read from and written in the words people use for them."""

from __future__ import annotations

import re

_UNITS = {
    "": 1,
    "B": 1,
    "KIB": 2**10,
    "K": 2**10,
    "MIB": 2**20,
    "M": 2**20,
    "GIB": 2**30,
    "G": 2**30,
    "TIB": 2**40,
    "T": 2**40,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)


def parse_memory(text: str | int) -> int:
    """Return an amount of memory in bytes.

    Accepts a number of bytes or a number with a unit. ``GiB``, ``Gi``-less ``G`` and their
    neighbours are binary, as JupyterHub reads them; ``GB`` is decimal.

    Raises:
        ValueError: the text is no amount of memory.
    """
    if isinstance(text, int):
        if text < 0:
            message = f"{text} is less than nothing; expected bytes or an amount such as 16GiB"
            raise ValueError(message)
        return text
    match = _AMOUNT.fullmatch(text)
    unit = match and match[2].upper()
    if match is None or (unit not in _UNITS and f"{unit}B" not in _UNITS):
        message = f"{text!r} is no amount of memory; expected for example 16GiB"
        raise ValueError(message)
    factor = _UNITS.get(unit or "") or _UNITS[f"{unit}B"]
    return round(float(match[1]) * factor)


def format_memory(amount: int) -> str:
    """Write an amount of bytes in the largest binary unit that keeps it short: ``80 GiB``."""
    value = float(amount)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:  # noqa: PLR2004 - the step between binary units
            return f"{value:.4g} {unit}"
        value /= 1024
    return f"{value:.4g} TiB"


def format_size(size: int) -> str:
    """Write how large a file is, as tables show it: ``2.0 KiB``, ``178 MiB``."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024 or unit == "PiB":  # noqa: PLR2004 - the step between binary units
            break
        value /= 1024
    digits = 0 if value >= 100 or value.is_integer() else 1  # noqa: PLR2004 - three digits are enough
    return f"{value:,.{digits}f} {unit}"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun in the right form: ``1 device``, ``3 devices``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
