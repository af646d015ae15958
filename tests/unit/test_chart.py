"""What a hub that the chart starts is told last, and how it says that it cannot start."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from allotment_hub import chart

SHIPPED = Path(__file__).parents[2] / "hub_config" / "kubernetes"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The shipped settings, in a pod without a record or a cluster to open."""

    def nothing(*_arguments: Any) -> None: ...

    monkeypatch.setattr(chart, "configure", nothing)
    (tmp_path / "settings").mkdir()
    (tmp_path / "profiles").symlink_to(SHIPPED / "profiles")
    settings = tmp_path / "settings" / "allotment.yaml"
    settings.write_text((SHIPPED / "allotment.yaml").read_text())
    return {"ALLOTMENT_SETTINGS": str(settings), "ALLOTMENT_STATE": str(tmp_path / "state")}


def told(**said: Any) -> Config:
    c = Config()
    c.JupyterHub.update({"services": [], "load_roles": [], **said})
    return c


@pytest.mark.promise("USER-7")
@pytest.mark.parametrize(("host", "warned"), [({}, True), ({"subdomain_host": "a.test"}, False)])
def test_a_hub_whose_servers_share_its_host_name_says_so(
    environment: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    host: dict[str, str],
    warned: bool,
) -> None:
    with caplog.at_level(logging.WARNING):
        chart.configure_in_chart(told(**host), environment)
    assert ("subdomain_host is not set" in caplog.text) is warned


def test_a_variable_that_the_values_left_out_is_named(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        chart.configure_in_chart(told(), {**environment, "ALLOTMENT_STATE": ""})
    assert "ALLOTMENT_STATE: not set; the chart's hub.extraEnv sets it" in capsys.readouterr().err


def test_a_record_in_a_file_is_none_for_two_pods(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Path(environment["ALLOTMENT_SETTINGS"])
    lines = settings.read_text().splitlines()
    kept = [one for one in lines if not one.startswith("record")]
    settings.write_text("\n".join(kept))

    with pytest.raises(SystemExit):
        chart.configure_in_chart(told(), environment)
    assert "cannot share a file; expected postgresql://" in capsys.readouterr().err
