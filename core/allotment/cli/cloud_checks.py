"""Whether the AWS account that the settings name can be asked for its limits."""

from __future__ import annotations

from collections.abc import Iterator

from allotment.cli.findings import Finding, Machine, fail, ok, warn
from allotment.inventory.aws import AwsAccount, AwsAway


def aws(machine: Machine) -> Iterator[Finding]:
    """Ask the account for its quota of addresses; nothing is changed there."""
    settings = machine.usable_settings()
    if settings is None or settings.aws is None:
        return
    region = settings.aws.region
    try:
        (addresses,) = AwsAccount(region, settings.aws.profile or "").read([], []).quotas
    except AwsAway as away:
        mend = "Mend aws in the settings, or the credentials; the last reading of limits binds meanwhile."
        yield fail("AWS", f"{region}: {away}", mend)
        return
    if addresses.problem:
        mend = "Allow what docs/instance-types.md lists, or type limits in."
        yield warn("AWS", f"{region}: {addresses.problem}", mend)
        return
    yield ok("AWS", f"{region}: {addresses.used} of {addresses.value} Elastic IP addresses used")
