"""What an AWS account says of its quotas: vCPUs of on-demand instances by family, Elastic IP addresses.

Everything here blocks, for seconds at most: call it in a thread. The credentials are those that boto3
finds by itself (environment, ``~/.aws``, the machine's role); they need ``servicequotas:GetServiceQuota``,
``servicequotas:GetAWSDefaultServiceQuota``, ``ec2:DescribeInstanceTypes``, ``ec2:DescribeInstances`` and
``ec2:DescribeAddresses``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from allotment.model.instance_types import ADDRESSES, QuotaReading
from allotment.model.refusals import AllotmentError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_service_quotas import ServiceQuotasClient

T = TypeVar("T")
SERVICE = "ec2"
SECONDS = 10
"""How long one call may take."""
AT_ONCE = 100
"""The most instance types that one call may ask about."""

# "On-Demand Instance quotas" in the EC2 User Guide; the codes are those of its links to the console.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html
STANDARD = "L-1216C47A"
TITLES: Mapping[str, str] = {
    STANDARD: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    "L-6E869C2A": "Running On-Demand DL instances",
    "L-74FC7D96": "Running On-Demand F instances",
    "L-DB2E81BA": "Running On-Demand G and VT instances",
    "L-F7808C92": "Running On-Demand HPC instances",
    "L-43DA4232": "Running On-Demand High Memory instances",
    "L-1945791B": "Running On-Demand Inf instances",
    "L-417A185B": "Running On-Demand P instances",
    "L-2C3B7624": "Running On-Demand Trn instances",
    "L-7295265B": "Running On-Demand X instances",
    ADDRESSES: "EC2-VPC Elastic IPs",
}
_FAMILIES: tuple[tuple[str, str], ...] = (
    # The longest beginning that fits decides: "trn1" is no T, "inf2" no I; Macs are whole hosts.
    ("mac", ""),
    ("dl", "L-6E869C2A"),
    ("f", "L-74FC7D96"),
    ("g", "L-DB2E81BA"),
    ("vt", "L-DB2E81BA"),
    ("hpc", "L-F7808C92"),
    ("u", "L-43DA4232"),
    ("inf", "L-1945791B"),
    ("p", "L-417A185B"),
    ("trn", "L-2C3B7624"),
    ("x", "L-7295265B"),
    *((letter, STANDARD) for letter in "acdhimrtz"),
)
_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", re.ASCII)


class AwsAway(AllotmentError):
    """AWS cannot be asked; the text says why and what helps."""


@dataclass(frozen=True, slots=True)
class AccountReading:
    """What one look at the account told.

    ``vcpus`` are those of an instance, by type, of the types that EC2 knows; ``families`` the codes of
    the quotas of these.
    """

    quotas: tuple[QuotaReading, ...]
    vcpus: Mapping[str, int]
    families: Mapping[str, str]


def quota_of(instance_type: str) -> str | None:
    """The code of the quota that an on-demand instance of a type counts against; None: none is known."""
    if _TYPE.fullmatch(instance_type) is None:
        return None
    fitting = [(len(start), code) for start, code in _FAMILIES if instance_type.startswith(start)]
    return (max(fitting)[1] or None) if fitting else None


class AwsAccount:
    """One account in one region. ``profile`` is one of the AWS configuration; empty: the usual one."""

    def __init__(self, region: str, profile: str = "") -> None:
        self.region = region
        self._profile = profile

    def read(self, types: Iterable[str], codes: Collection[str]) -> AccountReading:
        """Ask for the types, for the quotas of these and of ``codes``, and for addresses.

        A quota that could not be read says so in itself; the others are read all the same.

        Raises:
            AwsAway: nobody answers, or nobody may be asked.
        """
        quotas, ec2 = self._clients()
        vcpus = _asked(lambda: _vcpus(ec2, sorted(types)))
        families = {name: code for name in vcpus if (code := quota_of(name)) is not None}
        wanted = sorted({*families.values(), *codes} - {ADDRESSES})
        running = _asked(lambda: _running_vcpus(ec2)) if wanted else Counter[str]()
        addresses = _asked(lambda: len(ec2.describe_addresses()["Addresses"]))
        used = {**{code: running[code] for code in wanted}, ADDRESSES: addresses}
        return AccountReading(
            tuple(_reading(quotas, code, used[code]) for code in (*wanted, ADDRESSES)),
            vcpus,
            families,
        )

    def _clients(self) -> tuple[ServiceQuotasClient, EC2Client]:
        try:
            import boto3  # noqa: PLC0415 - only where AWS is configured is it needed, and installed
            from botocore.config import Config  # noqa: PLC0415 - likewise
        except ImportError:
            message = (
                "boto3 is not installed. Install allotment[aws], or take aws out of the settings."
            )
            raise AwsAway(message) from None
        config = Config(
            connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 2}
        )

        def clients() -> tuple[ServiceQuotasClient, EC2Client]:
            session = boto3.Session(region_name=self.region, profile_name=self._profile or None)
            return (
                session.client("service-quotas", config=config),
                session.client("ec2", config=config),
            )

        return _asked(clients)


def _asked(call: Callable[[], T]) -> T:
    """What AWS answers.

    Raises:
        AwsAway: it does not, or refuses; the text holds no secret.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as boto3 above

    try:
        return call()
    except ClientError as error:
        raise AwsAway(_refusal_words(error)) from None
    except BotoCoreError as error:
        raise AwsAway(f"{type(error).__name__}: {error}"[:400]) from None


def _refusal_words(error: Any) -> str:
    said = error.response.get("Error", {})
    words = f"{error.operation_name}: {said.get('Code', 'unknown')}: {said.get('Message', '')}"
    return words[:400].rstrip(": ")


def _reading(client: ServiceQuotasClient, code: str, used: int) -> QuotaReading:
    try:
        quota = _asked(lambda: _quota(client, code))
    except AwsAway as error:
        return QuotaReading(code, TITLES.get(code, ""), problem=str(error))
    title = quota.get("QuotaName") or TITLES.get(code, code)
    return QuotaReading(code, title, int(quota["Value"]), used)


def _quota(client: ServiceQuotasClient, code: str) -> Mapping[str, Any]:
    """The value that is applied to the account; where none ever was, AWS's default."""
    try:
        return client.get_service_quota(ServiceCode=SERVICE, QuotaCode=code)["Quota"]
    except client.exceptions.NoSuchResourceException:
        answer = client.get_aws_default_service_quota(ServiceCode=SERVICE, QuotaCode=code)
        return answer["Quota"]


def _vcpus(client: EC2Client, types: list[str]) -> dict[str, int]:
    """By type: the vCPUs of an instance; of those that EC2 knows in this region."""
    # As a filter: a name that EC2 does not know is left out, not refused.
    pages = client.get_paginator("describe_instance_types")
    found: dict[str, int] = {}
    for start in range(0, len(types), AT_ONCE):
        filters: Any = [{"Name": "instance-type", "Values": types[start : start + AT_ONCE]}]
        for page in pages.paginate(Filters=filters):
            found |= {
                one["InstanceType"]: one["VCpuInfo"]["DefaultVCpus"]
                for one in page["InstanceTypes"]
            }
    return {name: vcpus for name, vcpus in found.items() if name in types}


def _running_vcpus(client: EC2Client) -> Counter[str]:
    """By quota: vCPUs of the on-demand instances of the whole account that are starting or running."""
    number: Counter[str] = Counter()
    filters: Any = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    for page in client.get_paginator("describe_instances").paginate(Filters=filters):
        for reservation in page["Reservations"]:
            # Spot and capacity-block instances count against other quotas.
            number.update(
                one["InstanceType"]
                for one in reservation["Instances"]
                if not one.get("InstanceLifecycle")
            )
    each = _vcpus(client, sorted(number))
    total: Counter[str] = Counter()
    for name, instances in number.items():
        code = quota_of(name)
        if code is not None:
            total[code] += instances * each.get(name, 0)
    return total
