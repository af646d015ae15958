"""YAML files are read with the place of every value, and can do us no harm."""

import itertools
from pathlib import Path

import pytest

from allotment.settings.document import MOST_VALUES, Document, parse_document, read_document


def problems(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    return [str(problem) for problem in parse_document(content, "f.yaml").problems]


def test_every_value_knows_the_line_it_was_written_in() -> None:
    document = parse_document(b"pools:\n  - name: a\n    devices:\n      - x\n", "f.yaml")

    assert document.lines["pools", 0, "devices", 0] == 4
    assert document.value == {"pools": [{"name": "a", "devices": ["x"]}]}


def test_a_problem_of_something_missing_is_placed_at_what_is_there() -> None:
    document = parse_document(b"groups:\n  - title: A\n", "f.yaml")

    assert str(document.problem(("groups", 0, "name"), "is missing")) == (
        "f.yaml:2: groups[0].name: is missing"
    )


def test_an_empty_file_says_nothing_and_is_no_problem() -> None:
    assert parse_document(b"# nothing yet\n", "f.yaml") == Document("f.yaml", {}, {(): 1})


def test_words_that_look_like_other_types_elsewhere_stay_words() -> None:
    document = parse_document(b"a: [yes, no, on, 2027-01-31, '3']", "f.yaml")

    assert document.value == {"a": ["yes", "no", "on", "2027-01-31", "3"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2", "f.yaml:2: a: is given twice; the first is in line 1"),
        ("a: [1,", "f.yaml:1: is no YAML: expected the node content, but found '<stream end>'"),
        ("a: 1\n b: 2", "f.yaml:2: is no YAML: mapping values are not allowed here"),
        ("a:\n\t- 1", "f.yaml:2: is no YAML: a tab cannot indent; use spaces"),
        (
            "a: 1\n---\nb: 2",
            "f.yaml:2: is no YAML: expected one document, found a second one after ---",
        ),
        ("a: *x", "f.yaml:1: is no YAML: found undefined alias 'x'"),
        ("a: 1\nb: \0", "f.yaml:2: has the character U+0000, which YAML forbids"),
        (b"a: 1\nb: \xff", "f.yaml:2: is not UTF-8 text"),
        ("- 1", "f.yaml:1: expected keys and values, such as 'pools: [...]'"),
        ("a: .inf", "f.yaml:1: a: expected a finite number, found .inf"),
        ("a: !!int x", "f.yaml:1: a: expected a whole number, found x"),
        (
            "a: !!python/object:os.system x",
            (
                "f.yaml:1: a: expected a plain value, found the YAML type "
                "tag:yaml.org,2002:python/object:os.system"
            ),
        ),
        ("1: a", "f.yaml:1: expected text as a key, found 1"),
        ("? [a]\n: 1", "f.yaml:1: expected text as a key, found a list or keys"),
        ("<<: {a: 1}", "f.yaml:1: '<<' is not understood here; write the keys out"),
        ("a: &x {b: *x}", "f.yaml:1: a.b: refers to itself"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str | bytes, problem: str) -> None:
    assert problems(text) == [problem]


def test_problems_of_different_lines_are_told_at_once() -> None:
    assert problems("a: 1\na: 2\nb: .nan\n3: c\n") == [
        "f.yaml:2: a: is given twice; the first is in line 1",
        "f.yaml:3: b: expected a finite number, found .nan",
        "f.yaml:4: expected text as a key, found 3",
    ]


def test_an_alias_is_read_as_what_it_stands_for() -> None:
    document = parse_document(b"a: &both [x, y]\nb: *both", "f.yaml")

    assert document.value["b"] == ["x", "y"]


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    names = "abcdefghijklmnop"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in itertools.pairwise(names)
    )

    assert problems(bomb) == [
        f"f.yaml:1: has more than {MOST_VALUES} values, with its aliases expanded"
    ]


def test_a_file_nested_without_end_is_refused() -> None:
    assert problems("[" * 100_000) == ["f.yaml:1: is nested deeper than 20 levels"]


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_text("a: " + "b" * 5000)

    document = read_document(large, name="large.yaml", most_bytes=2048)

    assert [str(problem) for problem in document.problems] == ["large.yaml:1: is larger than 2 KiB"]


def test_a_file_that_is_not_there_is_a_problem_like_any_other(tmp_path: Path) -> None:
    document = read_document(tmp_path / "none.yaml", name="none.yaml")

    assert [str(problem) for problem in document.problems] == ["none.yaml:1: there is no such file"]


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    document = read_document(tmp_path, name="folder")

    assert [str(problem) for problem in document.problems] == ["folder:1: is not a file"]
