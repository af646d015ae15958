"""Whether the keys of the secrets are those of the record, and declared sources such as can be made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from allotment.cli.findings import Finding, Machine, fail, ok, warn
from allotment.model.amounts import counted
from allotment.model.refusals import AllotmentError, Refusal
from allotment.settings.sources import read_secrets


def secrets(machine: Machine) -> Iterator[Finding]:
    """Read the keys and compare them with the record, once it has met some; nothing is changed."""
    settings = machine.usable_settings()
    if settings is None:
        return
    from allotment.data import assembling, vault  # noqa: PLC0415 - needs a hub's parts
    from allotment.record import open_record, platform, sealed_secrets  # noqa: PLC0415 - likewise

    file = settings.record.removeprefix("sqlite:///")
    if settings.record.startswith("sqlite:") and not (machine.state / file).is_file():
        return
    try:
        with closing(open_record(settings.record)) as record, record.reading() as reading:
            if platform.key_check(reading) is None:
                return
            number = sealed_secrets.count(reading)
            vault.check(reading, assembling.read_vault(settings, machine.state))
    except vault.KeysWrong as wrong:
        yield fail(
            "Secrets", str(wrong), "The control plane does not start without the right keys."
        )
        return
    except AllotmentError:
        return  # the check of the record says it
    place = assembling.keys_place(settings, machine.state) or settings.data.keys_variable
    yield ok("Secrets", f"{counted(number, 'secret')}, with keys in {place}")


def sources(machine: Machine) -> Iterator[Finding]:
    """Whether declared sources have the fields of their kinds, and their secrets are there. Nothing is opened."""
    settings = machine.usable_settings()
    if settings is None or not settings.sources:
        return
    from allotment.settings.parts.sources import source_problems  # noqa: PLC0415 - needs a hub's parts

    problems = tuple(source_problems(settings))
    for problem in problems:
        mend = "Change that line; `allotment source-kinds KIND` lists the fields of a kind."
        yield fail("Sources", problem, mend)
    read, missing = read_secrets(settings.sources), False
    for one in settings.sources:
        try:
            read(one.name)
        except Refusal as refusal:
            missing = True
            for reason in refusal.reasons:
                mend = "It is needed where the source is not made yet: put it there."
                yield warn("Sources", reason.message, mend)
    if not problems and not missing:
        yield ok("Sources", f"{counted(len(settings.sources), 'source')} declared")
