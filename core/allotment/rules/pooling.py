"""What a pool may hold, and what shares of it may be given out."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.model.amounts import counted
from allotment.model.devices import Device
from allotment.model.groups import Share
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal


def check_pool_model(pool: str, model: str, devices: Sequence[Device]) -> str:
    """Return the one model that a pool of these devices has. An empty pool keeps ``model``.

    Raises:
        Refusal: the devices are of several models, or not of ``model``.
    """
    models = sorted({device.model for device in devices} | ({model} if model else set()))
    if len(models) > 1:
        raise Refusal(
            Reason(
                Rule.POOL_MODEL,
                f"A pool holds one model of device; {pool!r} would hold {len(models)}: {', '.join(models)}.",
                limit=1,
                asked=len(models),
                remedy="Make a pool for each model.",
                details=tuple(models),
            )
        )
    return models[0] if models else ""


def check_guarantees(pool: str, capacity: int, shares: Sequence[Share]) -> Reason | None:
    """Refuse guarantees that sum to more devices than the pool has. ``shares`` are all of the pool's."""
    total = sum(share.guaranteed for share in shares)
    if total <= capacity:
        return None
    each = ", ".join(f"{share.group} {share.guaranteed}" for share in shares)
    return Reason(
        Rule.POOL_CAPACITY,
        f"{pool} has {counted(capacity, 'device')}; guarantees of {total} would be given out ({each}).",
        limit=capacity,
        used=total - shares[-1].guaranteed,
        asked=shares[-1].guaranteed,
        remedy=f"Guarantee {total - capacity} fewer, or add devices to the pool.",
        details=tuple(share.group for share in shares),
    )


def check_share(share: Share) -> Reason | None:
    """Refuse a ceiling below the guarantee, or numbers below zero."""
    if 0 <= share.guaranteed <= share.ceiling and share.weight > 0:
        return None
    return Reason(
        Rule.POOL_CAPACITY,
        f"The share of {share.group} in {share.pool} guarantees {share.guaranteed} under a ceiling of {share.ceiling}.",
        limit=share.ceiling,
        asked=share.guaranteed,
        remedy="A guarantee is at least 0 and at most its ceiling; a weight is above 0.",
    )
