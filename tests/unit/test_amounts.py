"""Amounts of bytes in words: as short as a table wants them, in the same units as the console's grids."""

from __future__ import annotations

import pytest

from allotment.model.amounts import format_size


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (2010, "2.0 KiB"),
        (2048, "2 KiB"),
        (187_000_000, "178 MiB"),
        (9_400_000_000, "8.8 GiB"),
        (3 * 2**60, "3,072 PiB"),
    ],
)
def test_a_size_has_about_three_digits_and_a_binary_unit(size: int, said: str) -> None:
    assert format_size(size) == said
