"""The page on settings says every key, and its examples are read as they stand."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from allotment.cli import app
from allotment.model.limits import LimitKind
from allotment.model.people import Permission
from allotment.model.profiles import Profile
from allotment.model.software import Software
from allotment.settings import parse_settings, schema
from allotment.settings.catalogue import read_profile

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "settings.md").read_text()
COMMANDS = (DOCS / "command-line.md").read_text()
YAML = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PROFILES = [text for text in YAML if text.startswith("title:")]
EXAMPLES = [text for text in YAML if text not in PROFILES]
SECTIONS = [
    model
    for model in vars(schema).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel
]
KEYS = sorted({key for model in (*SECTIONS, Profile, Software) for key in model.model_fields})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_explained(key: str) -> None:
    assert re.search(rf"\b{key}\b", PAGE)


@pytest.mark.parametrize("word", [*Permission, *LimitKind])
def test_every_word_that_a_value_may_be_is_said(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_valid(example: str) -> None:
    devices = "" if "pools: [{name: a100" not in example else "devices:\n"
    devices += "".join(
        f"  - {{id: gpu-{number}, model: A100, memory: 80GiB}}\n" for number in range(4)
    ) * bool(devices)

    parse_settings(devices + example, "docs/settings.md")


@pytest.mark.parametrize("example", PROFILES)
def test_every_example_of_a_profile_is_valid(example: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(example)

    assert read_profile(file).problem == ""


@pytest.mark.parametrize(
    "command",
    [each.name or each.callback.__name__ for each in app.registered_commands if each.callback],
)
def test_every_command_is_explained(command: str) -> None:
    assert re.search(rf"`{command}\b", COMMANDS)
