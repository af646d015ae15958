"""How a CSV file is written: encoding, delimiter, header, decimal point. Found out, and overridable."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Any

from allotment.data.datasets.facts import FileRefused

DELIMITERS = (",", ";", "\t", "|", ":", " ")
"""Tried in this order; the first of those that explain a file equally well is taken."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODING_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,30}", re.ASCII | re.IGNORECASE)
_ENCODINGS = frozenset(
    {
        *("ascii", "utf_8", "utf_8_sig", "utf_16", "utf_16_le", "utf_16_be"),
        *("utf_32", "utf_32_le", "utf_32_be", "latin_1", "tis_620", "koi8_r", "koi8_u"),
        *(f"iso8859_{part}" for part in (*range(2, 12), *range(13, 17))),
        *(f"cp{page}" for page in (437, 500, 737, 775, 850, 852, 855, 857, 858, 1140)),
        *(f"cp{page}" for page in (*range(860, 867), 869, 874, 932, 949, 950, *range(1250, 1259))),
        *(f"mac_{part}" for part in ("roman", "latin2", "cyrillic", "greek", "turkish", "iceland")),
        *("shift_jis", "euc_jp", "gb2312", "gbk", "gb18030", "big5", "euc_kr", "johab"),
    }
)
"""By the names of Python's modules for them."""
_LINES = 200
"""Lines that the delimiter is guessed from."""
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*", re.ASCII)
_POINT = re.compile(r"\s*[+-]?\d+\.\d+\s*", re.ASCII)
_GZIP = b"\x1f\x8b"
_WINDOW = 31
"""zlib's word for gzip's own header."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written. Encodings have Python's names."""

    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    encoding: str = "utf-8"
    skip_rows: int = 0
    decimal: str = "."
    compression: str = ""

    def document(self) -> dict[str, Any]:
        """The options by name."""
        return asdict(self)


_KINDS: Mapping[str, type] = {"header": bool, "skip_rows": int}
_MOST_SKIPPED = 1_000
_CHOICES: Mapping[str, tuple[str, ...]] = {"decimal": (".", ","), "compression": ("", "gzip")}


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a person set, or refuse them.

    Raises:
        FileRefused: an option is unknown or has an impossible value.
    """
    known = {one.name for one in fields(Dialect)}
    if unknown := sorted(set(options) - known):
        raise FileRefused(
            f"cannot be read: no CSV option {unknown[0]!r}; they are {', '.join(sorted(known))}"
        )
    for name, value in options.items():
        if problem := _problem(name, value):
            raise FileRefused(f"cannot be read: the CSV option {name!r} {problem}")
    return dict(options)


def _problem(name: str, value: Any) -> str:
    wanted = _KINDS.get(name, str)
    if not _is_of(value, wanted):
        return f"is no {wanted.__name__}"
    if name in {"delimiter", "quote"}:
        return (
            "" if _is_mark(value) or (name == "quote" and not value) else "is one plain character"
        )
    if name == "skip_rows":
        return "" if 0 <= value <= _MOST_SKIPPED else f"is 0 to {_MOST_SKIPPED}"
    if name in _CHOICES:
        return "" if value in _CHOICES[name] else f"is one of {_CHOICES[name]}"
    if name == "encoding" and not _is_encoding(value):
        return f"names no encoding: {value[:40]!r}"
    return ""


def _is_of(value: object, wanted: type) -> bool:
    """Not isinstance: True is an int, and no count of rows."""
    return type(value) is wanted


def _is_mark(value: str) -> bool:
    return len(value) == 1 and value.isascii() and value not in "\r\n\0"


def _is_encoding(name: str) -> bool:
    """Whether it is an encoding that texts are written in: Python knows others that unpack or run for hours."""
    if _ENCODING_NAME.fullmatch(name) is None:
        return False
    known = normalize_encoding(name).lower()
    return aliases.get(known, known) in _ENCODINGS


def unpacked(head: bytes, compression: str | None, most: int) -> tuple[bytes, str]:
    """The beginning of a file without its compression, and which that was.

    Raises:
        FileRefused: it is broken.
    """
    packed = head.startswith(_GZIP) if compression is None else compression == "gzip"
    if not packed:
        return head, ""
    try:
        return zlib.decompressobj(_WINDOW).decompress(head, most), "gzip"
    except zlib.error:
        raise FileRefused("is no gzip file, or a broken one") from None


def decoded(head: bytes, encoding: str | None, *, whole: bool) -> tuple[str, str]:
    """The beginning of a file as text, and its encoding.

    Args:
        head: its first bytes.
        encoding: what a person said; None: found out.
        whole: whether these are all of its bytes; else the last character may be cut.

    Raises:
        FileRefused: it is no text, or not in the encoding that was said.
    """
    if encoding is None:
        encoding = next((name for mark, name in _BOMS if head.startswith(mark)), None)
    if encoding is None and b"\0" in head:
        raise FileRefused("is no CSV file: it holds zero bytes, as programs and pictures do")
    try:
        return _decode(head, encoding or "utf-8", whole=whole), encoding or "utf-8"
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise FileRefused(
                f"is not written in {encoding}: byte {error.start:,} is 0x{head[error.start]:02x}"
            ) from None
    # What is no UTF-8 and has no zero bytes is in one of the old encodings; the most common is taken,
    # and shown as an option that can be overridden.
    try:
        return _decode(head, "cp1252", whole=whole), "cp1252"
    except UnicodeDecodeError:
        return _decode(head, "latin-1", whole=whole), "latin-1"


def _decode(head: bytes, encoding: str, *, whole: bool) -> str:
    return codecs.getincrementaldecoder(encoding)().decode(head, final=whole)


def detect(text: str, chosen: Mapping[str, Any]) -> Dialect:
    """Find out how a file is written, from its beginning; what ``chosen`` holds is taken as it is."""
    dialect = replace(Dialect(), **chosen)
    # Not splitlines(), which also ends lines where CSV does not.
    lines = list(io.StringIO(text, newline=""))[dialect.skip_rows :][:_LINES]
    if "delimiter" not in chosen:
        dialect = replace(dialect, delimiter=_delimiter(lines, dialect.quote))
    rows = parsed("".join(lines), dialect)
    if "header" not in chosen:
        dialect = replace(dialect, header=_has_header(rows))
    if "decimal" not in chosen:
        dialect = replace(dialect, decimal=_decimal(rows, dialect))
    return dialect


def parsed(text: str, dialect: Dialect) -> list[list[str]]:
    """The cells of some lines."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
    try:
        return [row for row in reader if row]
    except csv.Error:
        return []


def _delimiter(lines: list[str], quote: str) -> str:
    """The delimiter that cuts most lines into the same number of cells, more than one."""
    best, taken = 0.0, DELIMITERS[0]
    for delimiter in DELIMITERS:
        rows = parsed("".join(lines), Dialect(delimiter=delimiter, quote=quote))
        widths = [len(row) for row in rows]
        if not widths or widths[0] < 2:  # noqa: PLR2004 - one cell is no table
            continue
        same = widths.count(widths[0]) / len(widths)
        if same > best:
            best, taken = same, delimiter
    return taken


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first line names columns: none is a number or empty.

    Two of one name are a header that is refused later, and no line of data.
    """
    return not rows or all(cell.strip() and not _NUMBER.fullmatch(cell) for cell in rows[0])


def _decimal(rows: list[list[str]], dialect: Dialect) -> str:
    """A comma where it cannot separate cells, and numbers are written with it and none with a point."""
    if dialect.delimiter == ",":
        return "."
    cells = [cell for row in rows[1:] for cell in row]
    comma = any(_COMMA.fullmatch(cell) for cell in cells)
    return "," if comma and not any(_POINT.fullmatch(cell) for cell in cells) else "."
