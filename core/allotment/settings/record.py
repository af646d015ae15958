"""The record's address, as the settings say it: never with a password, but with the place where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from allotment.settings.data import STATE
from allotment.settings.document import Document, Problem

FILE, VARIABLE = "record_password_file", "record_password_variable"
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"


def check_record(document: Document) -> Iterator[Problem]:
    """Check the record's address without ever repeating it: somebody may have written a password there."""
    address = document.value.get("record")
    named = [key for key in (FILE, VARIABLE) if document.value.get(key) is not None]
    parts = urlsplit(address) if isinstance(address, str) else None
    scheme = "sqlite" if parts is None else parts.scheme
    if named and scheme == "sqlite":
        yield document.problem((named[0],), "a record in SQLite has no password")
    elif len(named) > 1:
        yield document.problem((FILE,), f"expected this or {VARIABLE}, not both")
    if not isinstance(address, str) or parts is None:
        return
    if set(re.findall(r"\{[^}]*\}", address)) - {STATE}:
        yield document.problem(("record",), f"expected no other placeholder than {STATE}")
    elif parts.scheme == "sqlite":
        if not address.startswith(("sqlite:////", f"sqlite:///{STATE}/")):
            yield document.problem(
                ("record",), f"expected an absolute path: sqlite:////path or sqlite:///{STATE}/path"
            )
    elif parts.scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        yield document.problem(
            ("record",),
            f"expected sqlite:///{STATE}/record.sqlite or postgresql://user@host/database",
        )
    elif parts.password:
        yield document.problem(
            ("record",), f"expected no password here: say in {FILE} or {VARIABLE} where it is"
        )


def with_place_of_password(
    address: str, file: Path | None, variable: str | None, folder: Path
) -> str:
    """The address as the record is opened by it. A file is looked for from a folder: that of the settings."""
    if file is not None:
        said = f"password_file={quote(str(folder / file))}"
    elif variable is not None:
        said = f"password_variable={quote(variable)}"
    else:
        return address
    return f"{address}{'&' if urlsplit(address).query else '?'}{said}"
