"""The command that examines a machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allotment.cli.checks import CHECKS
from allotment.cli.ending import Exit
from allotment.cli.findings import Finding, Level, Machine, examine
from allotment.cli.options import Json, SettingsFile, StateFolder
from allotment.cli.output import Output

DEMONSTRATION = Path("hub_config") / "allotment.yaml"
_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(doctor)


def doctor(
    settings: SettingsFile = None,
    state: StateFolder = Path("state"),
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65_535, help="The hub's.")] = 8000,
    as_json: Json = False,
) -> None:
    """Say what is missing or wrong on this machine, and how to mend it.

    Run it where `make hub` is run, with the same SETTINGS, STATE and PORT. Exit status 5 where
    something keeps the platform from working.
    """
    out = Output(as_json=as_json)
    if settings is None and DEMONSTRATION.is_file():
        settings = DEMONSTRATION
    findings: list[Finding] = []
    for finding in examine(Machine(state.resolve(), settings, port), CHECKS):
        findings.append(finding)
        _show(out, finding)
    if as_json:
        out.document({"findings": [finding.document() for finding in findings]})
    failures = sum(finding.level is Level.FAIL for finding in findings)
    warnings = sum(finding.level is Level.WARN for finding in findings)
    out.say(f"\n{len(findings)} looked at: {failures} failed, {warnings} to know.", "bold")
    if failures:
        raise typer.Exit(Exit.UNHEALTHY)


def _show(out: Output, finding: Finding) -> None:
    out.say(f"{finding.level:<4}  {finding.subject}: {finding.found}", _STYLES[finding.level])
    if finding.mend:
        out.say(f"      {finding.mend}")
