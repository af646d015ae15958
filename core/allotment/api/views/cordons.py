"""What is out of use as documents, and what taking something out of use would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.amounts import counted
from allotment.model.cordons import Cordon
from allotment.model.devices import Device
from allotment.model.reservations import Reservation
from allotment.record import Reading, allotments, cordons, devices, pools, reservations


def cordon_documents(reading: Reading, now: datetime) -> list[documents.Cordon]:
    """What is out of use now or will be."""
    return [_document(reading, one, now) for one in cordons.open_cordons(reading)]


def cordon_document(reading: Reading, key: str, now: datetime) -> documents.Cordon:
    """One of them."""
    return _document(reading, cordons.get(reading, key), now)


def _document(reading: Reading, one: Cordon, now: datetime) -> documents.Cordon:
    covered = cordons.covered(reading, (one,))
    return documents.Cordon(
        id=one.id,
        scope=one.scope,
        names=one.names,
        subject=one.subject,
        reason=one.reason,
        begins_at=one.begins_at,
        drain_at=one.drain_at,
        ends_at=one.ends_at,
        in_force=one.in_force(now),
        devices=len(covered),
        servers=len(cordons.servers_on(reading, covered)) if covered else 0,
        said_by=one.said_by,
        said_at=one.said_at,
        revision=one.revision,
    )


def consequences(reading: Reading, wanted: Cordon, now: datetime) -> documents.CordonConsequences:
    """What taking this out of use would do, whenever it begins.

    Raises:
        NotFound, Refusal: as taking it out of use itself.
    """
    cordons.check(reading, wanted, now)
    known = devices.all_devices(reading)
    covered = cordons.covered(reading, (wanted,))
    return documents.CordonConsequences(
        devices=tuple(sorted(covered)),
        servers=tuple(_servers(reading, covered)),
        short=tuple(_short(reading, known, covered, now)),
    )


def _servers(reading: Reading, covered: frozenset[str]) -> Iterator[documents.DrainedServer]:
    on = cordons.servers_on(reading, covered)
    for one in sorted(allotments.some(reading, list(on)), key=lambda one: (one.person, one.server)):
        yield documents.DrainedServer(
            server=server_id(one.hub, one.person, one.server),
            person=one.person,
            name=one.server,
            group=one.group,
            pool=one.pool,
            devices=tuple(spot.device for spot in on[one.id]),
        )


def _short(
    reading: Reading, known: Iterable[Device], covered: frozenset[str], now: datetime
) -> Iterator[documents.ShortPool]:
    """Pools that lose by it and could then give out less than is promised of them."""
    lost = Counter(
        one.pool
        for one in known
        if one.id in covered and one.present and one.healthy and one.usable
    )
    kept = reservations.all_reservations(reading, now)
    for use in pools.use(reading):
        left = use.available - lost[use.pool]
        reserved = most_reserved(use.pool, kept)
        if lost[use.pool] and left < max(use.guaranteed, reserved):
            yield documents.ShortPool(
                pool=use.pool, available=left, guaranteed=use.guaranteed, reserved=reserved
            )


def most_reserved(pool: str, kept: Sequence[Reservation]) -> int:
    """The most devices of a pool that are reserved at one time."""
    here = [one for one in kept if one.pool == pool]
    return max(
        (
            sum(each.devices for each in here if each.begins_at <= one.begins_at < each.ends_at)
            for one in here
        ),
        default=0,
    )


def short_alerts(reading: Reading, now: datetime) -> Iterator[documents.Alert]:
    """Pools that cannot give out what is promised of them, because devices are out of use."""
    known = devices.all_devices(reading)
    out = Counter(one.pool for one in known if one.cordon or one.node_cordon)
    if not out:
        return
    kept = reservations.all_reservations(reading, now)
    for use in pools.use(reading):
        reserved = most_reserved(use.pool, kept)
        promised = max(use.guaranteed, reserved)
        if out[use.pool] and use.available < promised:
            what = "guaranteed to groups" if promised == use.guaranteed else "reserved"
            message = (
                f"{use.pool} can give out {use.available} of its {counted(use.total, 'device')}, and "
                f"{promised} are {what}: {counted(out[use.pool], 'device')} "
                f"{'is' if out[use.pool] == 1 else 'are'} out of use."
            )
            yield documents.Alert(kind="cordon", message=message, subject=use.pool)
