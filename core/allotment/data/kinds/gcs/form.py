"""What is asked for a Google Cloud Storage source, and what cannot be right."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from allotment.data.kinds.connections import trusting
from allotment.data.kinds.kind import FormField, Opened
from allotment.data.kinds.lasting import LASTS
from allotment.data.kinds.places import prefix_of
from allotment.data.kinds.s3.form import must_be_root
from allotment.data.problems import SourceProblem

TOKEN_ENDPOINT = "https://sts.googleapis.com/v1/token"  # noqa: S105 - an address

FIELDS = (
    FormField(
        "bucket",
        "Bucket",
        "The bucket that is read, by its name alone. Its access must be uniform, not by object.",
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
        "service_account",
        "Service account",
        "The JSON file of its key. Servers are given a token that ends, and only reads this.",
        type="secret",
        required=True,
    ),
    LASTS,
    FormField(
        "endpoint",
        "Endpoint",
        "Empty for Google's own; another only where the network has a private one.",
        placeholder="https://storage.googleapis.com",
    ),
    FormField(
        "token_endpoint",
        "Endpoint for tokens",
        "Where tokens are narrowed; empty for Google's own.",
        placeholder=TOKEN_ENDPOINT,
    ),
    FormField(
        "iam_endpoint",
        "Endpoint for short tokens",
        "Where the account makes tokens that end sooner than in an hour; empty for Google's own.",
        placeholder="https://iamcredentials.googleapis.com",
    ),
    FormField(
        "ca",
        "Certificate authority",
        "PEM of who signed the endpoint's certificate, if it is not a public one.",
        type="long",
    ),
)

_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", re.ASCII)
_KEPT = ("client_email", "private_key", "token_uri")


def validate(source: Opened) -> None:
    """Refuse fields that cannot be right.

    Raises:
        SourceProblem: one cannot be; it names which.
    """
    bucket = str(source.fields["bucket"])
    if not _BUCKET.fullmatch(bucket):
        raise SourceProblem(
            f"Bucket cannot be {bucket[:100]!r}.",
            remedy="3 to 222 small letters, digits, '.', '_' and '-'.",
        )
    prefix_of(str(source.fields["prefix"]))
    trusting(str(source.fields["ca"]))
    for name, label in (("endpoint", "Endpoint"), ("iam_endpoint", "Endpoint for short tokens")):
        if source.fields[name]:
            must_be_root(str(source.fields[name]), label)
    if source.secrets.get("service_account"):
        key_of(source)


def key_of(source: Opened) -> Mapping[str, Any]:
    """The service account's key.

    Raises:
        SourceProblem: it is none; nothing of it is repeated.
    """
    try:
        key = json.loads(source.secrets["service_account"])
    except ValueError:
        key = None
    known = isinstance(key, dict) and key.get("type") == "service_account"
    if not known or not all(isinstance(key.get(name), str) for name in _KEPT):
        raise SourceProblem(
            "The service account is no JSON key file.",
            remedy="Make a key of the type JSON and paste the whole file.",
        )
    return dict(key)
