"""Names as parts of a path."""

from urllib.parse import quote


def segment(name: str) -> str:
    """Quote a name, so that nothing in it is read as part of the path."""
    return quote(name, safe="~")
