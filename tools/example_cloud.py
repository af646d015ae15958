"""Instance types of the example platform: one at its limit, one near it, one disabled, with quotas of an account."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from allotment.model.claims import Claim, Granted
from allotment.model.instance_types import ADDRESSES, InstanceType, QuotaReading
from allotment.model.profiles import Profile
from allotment.record import Record, claims, instance_types, profiles, quotas

REGION = "eu-central-1"
_G_AND_VT = "L-DB2E81BA"
TYPES = (
    InstanceType("g5.xlarge", "One A10G, 24 GB", Decimal("1.258"), 5, 4, _G_AND_VT),
    InstanceType("g6.12xlarge", "Four L4", Decimal("5.752"), 1, 48, _G_AND_VT),
    InstanceType("p4d.24xlarge", "Eight A100", Decimal("26.4"), None, 96, "L-417A185B"),
    InstanceType("m7i.2xlarge", "Eight cores", Decimal("0.483"), None, 8, None),
    InstanceType("g4dn.xlarge", "One T4", Decimal("0.658"), 8, 4, _G_AND_VT, enabled=False),
)
READINGS = (
    QuotaReading(_G_AND_VT, "Running On-Demand G and VT instances", 128, 92),
    QuotaReading("L-417A185B", "Running On-Demand P instances", 192, 0),
    QuotaReading(ADDRESSES, "EC2-VPC Elastic IPs", 10, 9),
)
PROFILES = (
    ("cloud-a10g", "A10G in the cloud", "g5.xlarge"),
    ("cloud-l4", "Four L4 in the cloud", "g6.12xlarge"),
    ("cloud-cores", "Eight cores in the cloud", "m7i.2xlarge"),
    ("cloud-t4", "T4 in the cloud", "g4dn.xlarge"),
    ("cloud-h100", "H100 in the cloud", "p5.48xlarge"),
)
SERVERS = (
    ("bob", "cloud-1", "cloud-a10g"),
    ("ines", "cloud-1", "cloud-a10g"),
    ("farid", "cloud-1", "cloud-a10g"),
    ("priya", "cloud-1", "cloud-a10g"),
    ("kim", "cloud-1", "cloud-l4"),
    ("jonas", "cloud-1", "cloud-cores"),
)


def add_cloud(record: Record, now: datetime) -> None:
    """Write instance types, quotas, profiles that name them, and servers on them into a record."""
    with record.writing("operator", now - timedelta(hours=3)) as writing:
        for one in TYPES:
            instance_types.create(writing, one)
        quotas.observe(writing, REGION, READINGS)
        for name, title, instance_type in PROFILES:
            made = Profile(name=name, title=title, instance_type=instance_type)
            profiles.publish(writing, made, f"profiles/{name}.yaml", name)
    for person, server, profile in SERVERS:
        began = now - timedelta(hours=2)
        outcome = claims.admit(record, Claim("hub", person, server, profile), began)
        if not isinstance(outcome, Granted):
            message = f"{person} gets no {profile}: {outcome}"
            raise TypeError(message)
        claims.mark_running(record, outcome.allotment.id, began)
