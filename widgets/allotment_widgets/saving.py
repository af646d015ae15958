"""Handing a document out as a file."""

from __future__ import annotations

from base64 import b64encode
from html import escape


def link_html(name: str, content: bytes) -> str:
    """A link that saves the file: a browser neither opens it here nor reads it as a page."""
    data = b64encode(content).decode()
    said = escape(name)
    return (
        f'<a href="data:application/octet-stream;base64,{data}" download="{said}">Save {said}</a>'
    )
