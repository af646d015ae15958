"""The changelog, read into what is new."""

from __future__ import annotations

import pytest

from allotment.api import news


@pytest.mark.promise("CLUSTER-2")
def test_a_changelog_is_read_into_versions_kinds_and_notes() -> None:
    text = """# Changelog

## 0.2.0 - 2026-12-01

Faster.

### Added

- One thing
  over two lines.
- Another.

### Fixed

- A third.

## 0.1.0 (2026-11-01)

- All of it.
"""
    new, old = news.read(text)
    assert (new.version, new.released, new.introduction) == ("0.2.0", "2026-12-01", "Faster.")
    assert [(each.title, each.notes) for each in new.sections] == [
        ("Added", ("One thing over two lines.", "Another.")),
        ("Fixed", ("A third.",)),
    ]
    assert (old.version, old.sections[0].notes) == ("0.1.0", ("All of it.",))
