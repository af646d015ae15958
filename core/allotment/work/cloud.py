"""The cloud's limits in the periodic work: quotas and addresses are read, the last reading is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime

from allotment.inventory.aws import AccountReading, AwsAccount, AwsAway
from allotment.model.amounts import counted
from allotment.model.instance_types import ADDRESSES, QuotaReading
from allotment.record import Record, instance_types, quotas
from allotment.settings.schema import Aws

EVERY = 300.0
"""Seconds between two readings: a quota changes when somebody at AWS grants it."""
_ACTOR = "aws"


class CloudLimits:
    """Reads the limits of the account that the settings name; nothing where they name none."""

    def __init__(
        self,
        record: Record,
        configured: Callable[[], Aws | None],
        account: Callable[[str, str], AwsAccount] = AwsAccount,
    ) -> None:
        self._record, self._configured, self._account = record, configured, account
        self._turn = threading.Lock()

    @property
    def region(self) -> str | None:
        """The region that is read; None: no account is configured."""
        configured = self._configured()
        return None if configured is None else configured.region

    def read(self, now: datetime) -> str:
        """Ask the account and keep what it says. Returns in words what changed, or why it was not read.

        What is away is said in the record beside the last reading, which stays. Blocks for seconds.

        Raises:
            SettingsInvalid: the settings cannot be read.
            RecordUnavailable: the record did not answer.
        """
        with self._turn:
            configured = self._configured()
            if configured is None:
                return self._forget(now)
            return self._read(configured, now)

    def _forget(self, now: datetime) -> str:
        with self._record.reading() as reading:
            if not quotas.all_quotas(reading):
                return ""
        with self._record.writing(_ACTOR, now) as writing:
            quotas.forget(writing)
        return "no account is configured any more: its quotas are forgotten"

    def _read(self, configured: Aws, now: datetime) -> str:
        with self._record.reading() as reading:
            types = instance_types.all_types(reading)
            known = {one.code for one in quotas.all_quotas(reading)}
        codes = {one.quota for one in types if one.quota}
        try:
            account = self._account(configured.region, configured.profile or "")
            found = account.read([one.name for one in types], codes)
        except AwsAway as error:
            away = [QuotaReading(code, "", problem=str(error)) for code in {ADDRESSES, *known}]
            self._keep(configured.region, away, None, now)
            return str(error)
        return self._keep(configured.region, found.quotas, found, now)

    def _keep(
        self,
        region: str,
        readings: Iterable[QuotaReading],
        found: AccountReading | None,
        now: datetime,
    ) -> str:
        with self._record.writing(_ACTOR, now) as writing:
            changed = quotas.observe(writing, region, readings)
            known = {one.name for one in instance_types.all_types(writing)}
            learnt = [
                name
                for name in sorted(known & set(found.vcpus if found else ()))
                if found
                and instance_types.learn(writing, name, found.vcpus[name], found.families.get(name))
            ]
        parts = [f"new limits: {', '.join(changed)}"] if changed else []
        parts += [f"{counted(len(learnt), 'type')} described"] if learnt else []
        return "; ".join(parts)
