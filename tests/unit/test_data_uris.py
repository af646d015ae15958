"""Patterns in the URIs of datasets: which paths they mean, and that none of them can hold the platform up."""

from __future__ import annotations

import glob
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.data.datasets.uris import covers, parse
from allotment.model.sources import SourceKind

_STEPS = ("a", "b", "/", ".", "*", "**", "**/", "?")


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("/data/*.csv", "/data/a.csv", True),
        ("/data/*.csv", "/data/deep/a.csv", False),
        ("/data/**/*.csv", "/data/deep/er/a.csv", True),
        ("/data/**/*.csv", "/data/a.csv", True),
        ("/data/part-?.csv", "/data/part-1.csv", True),
        ("/data/part-?.csv", "/data/part-/.csv", False),
        ("/data/part-?.csv", "/data/part-11.csv", False),
        ("/data/a*[1].csv", "/data/a[1].csv", True),
        ("/data/a*[1].csv", "/data/a1.csv", False),
        ("/data/[*]*.csv", "/data/*1.csv", True),
        ("/data/[*]*.csv", "/data/a1.csv", False),
        ("/data/[?]*[[].csv", "/data/?a[.csv", True),
    ],
)
def test_a_pattern_means_the_paths_that_its_stars_say(pattern: str, path: str, meant: bool) -> None:
    assert parse(pattern).matches(path) is meant


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("key", ["a*b?c[1].csv", "[*].csv", "what?", "*/2026/x.csv", "plain.csv"])
def test_a_name_that_holds_stars_is_written_as_python_escapes_it(key: str) -> None:
    uri = parse(f"s3://lake/{glob.escape(key)}")

    assert (uri.is_pattern, uri.path) == (False, key)
    assert uri.matches(key)
    assert not uri.matches(f"{key}x")


@pytest.mark.promise("SET-1")
def test_a_pattern_below_a_folder_whose_name_holds_a_star_lies_in_that_folder() -> None:
    uri = parse("s3://lake/of [*]/2026/*.csv")

    assert uri.folder == "of */2026/"
    assert covers(SourceKind.S3, {"bucket": "lake", "prefix": "of *"}, uri)
    assert not covers(SourceKind.S3, {"bucket": "lake", "prefix": "of [*]"}, uri)
    assert not uri.file("of */2026/*.csv").is_pattern


@pytest.mark.promise("SET-1")
@given(st.lists(st.sampled_from(_STEPS), max_size=8), st.text("ab/.", max_size=8))
def test_a_pattern_means_what_a_regular_expression_would(steps: list[str], rest: str) -> None:
    pattern = f"s3://bucket/x{''.join(steps)}*"
    words = {"*": "[^/]*", "?": "[^/]"}
    expression = "".join(
        ".*" if step.startswith("**") else words.get(step) or re.escape(step)
        for step in re.findall(r"\*\*/?|.", pattern.removeprefix("s3://bucket/"))
    )
    if any(step in {".", ".."} for step in pattern.split("/")):
        return
    assert parse(pattern).matches(f"x{rest}") is (re.fullmatch(expression, f"x{rest}") is not None)


@pytest.mark.promise("SET-3")
def test_a_pattern_of_a_thousand_stars_is_looked_at_once_for_each_sign() -> None:
    """By a regular expression this takes longer than anybody waits."""
    uri = parse(f"s3://bucket/{'*?' * 1000}X")
    assert not uri.matches("part-" + "a" * 1000)
