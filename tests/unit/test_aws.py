"""What an AWS account says of its quotas: EC2 is moto's, Service Quotas are recorded answers.

moto knows no quota of EC2, so the answers of Service Quotas are those that AWS documents, given
through botocore's own stubber, which checks them against the service's description.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from allotment.cli import cloud_checks
from allotment.cli.findings import Level, Machine
from allotment.inventory import aws
from allotment.inventory.aws import AwsAccount, AwsAway, quota_of
from allotment.model.instance_types import ADDRESSES, QuotaReading

REGION = "eu-central-1"
G_AND_VT, STANDARD = "L-DB2E81BA", "L-1216C47A"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An EC2 of moto's, with credentials that are nobody's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def quotas(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Service Quotas, answering what a test says, in that order."""
    client = boto3.client("service-quotas", region_name=REGION)
    monkeypatch.setattr(AwsAccount, "_clients", lambda _account: (client, cloud))
    with Stubber(client) as stub:
        yield stub


def answers(stub: Stubber, code: str, value: float, title: str) -> None:
    quota = {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaCode": code,
        "QuotaName": title,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
    asked = {"ServiceCode": "ec2", "QuotaCode": code}
    stub.add_response("get_service_quota", {"Quota": quota}, asked)


@pytest.mark.promise("TYPE-1")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("m7i.large", STANDARD),
        ("t3.micro", STANDARD),
        ("im4gn.large", STANDARD),
        ("g5.xlarge", G_AND_VT),
        ("gr6.4xlarge", G_AND_VT),
        ("vt1.3xlarge", G_AND_VT),
        ("p4d.24xlarge", "L-417A185B"),
        ("inf2.xlarge", "L-1945791B"),
        ("trn1.2xlarge", "L-2C3B7624"),
        ("dl1.24xlarge", "L-6E869C2A"),
        ("hpc7g.16xlarge", "L-F7808C92"),
        ("f2.6xlarge", "L-74FC7D96"),
        ("x2idn.16xlarge", "L-7295265B"),
        ("u7i-12tb.224xlarge", "L-43DA4232"),
        ("mac2.metal", None),
        ("our-own-machine", None),
        ("b1.large", None),
    ],
)
def test_each_family_counts_against_its_own_quota(name: str, code: str | None) -> None:
    assert quota_of(name) == code


@pytest.mark.promise("TYPE-1", "TYPE-3")
def test_types_quotas_use_and_addresses_of_an_account_are_read(cloud: Any, quotas: Stubber) -> None:
    image = cloud.describe_images()["Images"][0]["ImageId"]
    for kind, number in (("g5.xlarge", 2), ("g4dn.xlarge", 1), ("t3.micro", 3)):
        cloud.run_instances(ImageId=image, MinCount=number, MaxCount=number, InstanceType=kind)
    for _ in range(3):
        cloud.allocate_address(Domain="vpc")
    answers(quotas, G_AND_VT, 64.0, "Running On-Demand G and VT instances")
    answers(quotas, ADDRESSES, 5.0, "EC2-VPC Elastic IPs")

    found = AwsAccount(REGION).read(["g5.xlarge", "our-own-machine"], [])

    assert found.vcpus == {"g5.xlarge": 4}
    assert found.families == {"g5.xlarge": G_AND_VT}
    assert found.quotas == (
        QuotaReading(G_AND_VT, "Running On-Demand G and VT instances", 64, 12),
        QuotaReading(ADDRESSES, "EC2-VPC Elastic IPs", 5, 3),
    )


@pytest.mark.promise("TYPE-1")
def test_a_quota_that_was_never_changed_is_awss_default(quotas: Stubber) -> None:
    quotas.add_client_error("get_service_quota", "NoSuchResourceException")
    quotas.add_response(
        "get_aws_default_service_quota",
        {"Quota": {"QuotaCode": ADDRESSES, "QuotaName": "EC2-VPC Elastic IPs", "Value": 5.0}},
        {"ServiceCode": "ec2", "QuotaCode": ADDRESSES},
    )
    assert AwsAccount(REGION).read([], []).quotas == (
        QuotaReading(ADDRESSES, "EC2-VPC Elastic IPs", 5, 0),
    )


@pytest.mark.promise("TYPE-1")
def test_a_quota_that_may_not_be_read_says_so_and_the_others_are_read(quotas: Stubber) -> None:
    quotas.add_client_error(
        "get_service_quota", "AccessDeniedException", "You may not do this.", http_status_code=400
    )
    answers(quotas, ADDRESSES, 5.0, "EC2-VPC Elastic IPs")
    refused, read = AwsAccount(REGION).read([], [STANDARD]).quotas
    assert refused.value is None
    assert refused.problem == "GetServiceQuota: AccessDeniedException: You may not do this."
    assert refused.title == "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
    assert read.value == 5


@pytest.mark.promise("TYPE-1")
def test_without_credentials_the_account_is_away_with_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(AwsAway, match="NoCredentialsError"):
        AwsAccount(REGION).read(["g5.xlarge"], [])


def test_a_profile_that_is_not_configured_is_named() -> None:
    with pytest.raises(AwsAway, match="nobodys-profile"):
        AwsAccount(REGION, "nobodys-profile").read([], [])


def test_without_boto3_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(AwsAway, match=r"allotment\[aws\]"):
        AwsAccount(REGION).read([], [])


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose settings name an account."""
    (tmp_path / "allotment.yaml").write_text("aws: {region: eu-central-1}\n")
    (tmp_path / "profiles").mkdir()
    return Machine(tmp_path, tmp_path / "allotment.yaml", 8000)


def test_the_doctor_says_what_the_account_answers(machine: Machine, quotas: Stubber) -> None:
    answers(quotas, ADDRESSES, 5.0, "EC2-VPC Elastic IPs")
    (found,) = cloud_checks.aws(machine)
    assert (found.level, found.found) == (
        Level.OK,
        "eu-central-1: 0 of 5 Elastic IP addresses used",
    )


def test_the_doctor_says_what_may_not_be_read_and_how_to_mend_it(
    machine: Machine, quotas: Stubber
) -> None:
    quotas.add_client_error("get_service_quota", "AccessDeniedException", "No.")
    (found,) = cloud_checks.aws(machine)
    assert found.level is Level.WARN
    assert "instance-types.md" in found.mend


def test_the_doctor_says_nothing_of_aws_where_no_account_is_named(tmp_path: Path) -> None:
    assert list(cloud_checks.aws(Machine(tmp_path, None, 8000))) == []


def test_every_family_has_a_title() -> None:
    assert {code for _, code in aws._FAMILIES if code} <= set(aws.TITLES)
