"""What is asked for an S3 source, and what cannot be right."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from allotment.data.kinds.connections import trusting
from allotment.data.kinds.kind import FormField, Opened
from allotment.data.kinds.lasting import LASTS
from allotment.data.kinds.places import prefix_of
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule

KEYS, AMBIENT = "keys", "ambient"
ROLE, FEDERATION, REGISTERED = "role", "federation", "registered"

FIELDS = (
    FormField(
        "bucket",
        "Bucket",
        "The bucket that is read, by its name alone.",
        required=True,
        placeholder="company-data",
    ),
    FormField(
        "prefix",
        "Prefix",
        "Only what lies below it can be read; empty for the whole bucket.",
        placeholder="sales/2026/",
    ),
    FormField(
        "region",
        "Region",
        "Where the bucket is. Other stores than Amazon's mostly take us-east-1.",
        required=True,
        default="us-east-1",
    ),
    FormField(
        "endpoint",
        "Endpoint",
        "The address of a store that speaks S3; empty for Amazon's own.",
        placeholder="https://s3.example.com",
    ),
    FormField(
        "path_style",
        "Bucket in the path",
        "Addresses read ENDPOINT/BUCKET. Off for stores that only know BUCKET.ENDPOINT.",
        type="switch",
        default=True,
    ),
    FormField(
        "account",
        "Account",
        "Whose name the control plane asks in. It needs no more than reading.",
        type="choice",
        default=KEYS,
        choices=(
            (KEYS, "An access key entered here"),
            (AMBIENT, "The identity of the machine that the control plane runs on"),
        ),
        guarded=(AMBIENT,),
    ),
    FormField(
        "access_key_id",
        "Access key",
        "The key's identifier.",
        required=True,
        placeholder="AKIA…",
        when=("account", KEYS),
    ),
    FormField(
        "secret_access_key",
        "Secret key",
        "Kept encrypted; it never reaches a notebook unless you choose so below.",
        type="secret",
        required=True,
        when=("account", KEYS),
    ),
    FormField(
        "lending",
        "What servers are given",
        "Short-lived credentials need a role, or a user who may ask for federation tokens. "
        "Where the store knows neither, its users can read the registered key itself.",
        type="choice",
        default=ROLE,
        choices=(
            (ROLE, "Credentials that end, by assuming a role"),
            (FEDERATION, "Credentials that end, of the access key's own user"),
            (REGISTERED, "The access key itself: users can read it"),
        ),
    ),
    FormField(
        "role",
        "Role",
        "The role's ARN, in this account or another. What it may do is narrowed to reading here.",
        required=True,
        placeholder="arn:aws:iam::123456789012:role/allotment-reader",
        when=("lending", ROLE),
    ),
    FormField(
        "external_id",
        "External ID",
        "What the role's trust policy asks for, if another company's account holds it.",
        when=("lending", ROLE),
    ),
    LASTS,
    FormField(
        "kms_key",
        "Encryption key",
        "The ARN of the KMS key that the files are encrypted with, if one is.",
        placeholder="arn:aws:kms:eu-central-1:123456789012:key/…",
    ),
    FormField(
        "sts_endpoint",
        "Endpoint for credentials",
        "Empty where the endpoint above, or Amazon's, gives them out itself.",
    ),
    FormField(
        "ca",
        "Certificate authority",
        "PEM of who signed the endpoint's certificate, if it is not a public one.",
        type="long",
    ),
)

_BUCKET = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", re.ASCII)
_REGION = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
_ROLE = re.compile(r"arn:[\w-]+:iam::\d*:role/[\w+=,.@/-]{1,512}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_KMS_KEY = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+", re.ASCII)


def validate(source: Opened) -> None:
    """Refuse fields that cannot be right.

    Raises:
        SourceProblem: one cannot be; it names which.
    """
    fields = {name: str(value) for name, value in source.fields.items()}
    _must(fields["bucket"], _BUCKET, "Bucket", "3 to 63 letters, digits, '.', '_' and '-'.")
    _must(fields["region"], _REGION, "Region", "For example eu-central-1.")
    prefix_of(fields["prefix"])
    trusting(fields["ca"])
    for name, label in (("endpoint", "Endpoint"), ("sts_endpoint", "Endpoint for credentials")):
        if fields[name]:
            must_be_root(fields[name], label)
    if fields["kms_key"]:
        _must(fields["kms_key"], _KMS_KEY, "Encryption key", "The key's ARN, not an alias.")
    if fields["lending"] == ROLE:
        _must(fields["role"], _ROLE, "Role", "For example arn:aws:iam::123456789012:role/NAME.")
        if fields["external_id"]:
            _must(fields["external_id"], _EXTERNAL_ID, "External ID", "2 to 1224 characters.")
    elif fields["account"] == AMBIENT:
        raise SourceProblem(
            "The machine's own identity cannot be handed to servers.",
            remedy="Name a role that it may assume, or enter an access key.",
        )


def must_be_root(url: str, label: str) -> None:
    """Refuse an endpoint that is more than scheme, host and port, without asking where it leads.

    Raises:
        SourceProblem: it is.
    """
    if not _is_root(url):
        raise SourceProblem(
            f"{label} is no address of a store.",
            remedy="Write it as https://HOST or https://HOST:PORT.",
            rule=Rule.DATA_ADDRESS,
        )


def _is_root(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and "@" not in url and not (parts.path.strip("/") or parts.query or parts.fragment)


def _must(text: str, pattern: re.Pattern[str], label: str, remedy: str) -> None:
    if not pattern.fullmatch(text):
        raise SourceProblem(f"{label} cannot be {text[:100]!r}.", remedy=remedy)
