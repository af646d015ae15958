"""What is asked for an Azure Blob source, what it means, and what cannot be right."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from allotment.data.kinds.connections import trusting
from allotment.data.kinds.kind import FormField, Opened
from allotment.data.kinds.lasting import LASTS
from allotment.data.kinds.places import prefix_of
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule

KEY, PRINCIPAL, CONNECTION = "key", "principal", "connection"
AUTHORITY = "https://login.microsoftonline.com"

FIELDS = (
    FormField(
        "container",
        "Container",
        "The container that is read. Signatures open a whole container: use one for each audience.",
        required=True,
        placeholder="sales",
    ),
    FormField(
        "prefix",
        "Prefix",
        "Only what lies below it is shown; Azure cannot keep users from the rest of the container.",
        placeholder="2026/",
    ),
    FormField(
        "identity",
        "Identity",
        "Who signs for servers. They are given a signature that ends, to read and list.",
        type="choice",
        default=PRINCIPAL,
        choices=(
            (PRINCIPAL, "A service principal"),
            (KEY, "The storage account's key"),
            (CONNECTION, "A connection string"),
        ),
    ),
    LASTS,
    FormField(
        "account",
        "Storage account",
        "Its name. A connection string holds it already.",
        placeholder="companydata",
    ),
    FormField(
        "account_key",
        "Account key",
        "One of the account's two keys.",
        type="secret",
        required=True,
        when=("identity", KEY),
    ),
    FormField(
        "connection_string",
        "Connection string",
        "As the portal shows it under Access keys.",
        type="secret",
        required=True,
        when=("identity", CONNECTION),
    ),
    FormField(
        "tenant",
        "Tenant",
        "The directory's ID or domain.",
        required=True,
        when=("identity", PRINCIPAL),
    ),
    FormField(
        "client_id",
        "Application",
        "The principal's application (client) ID.",
        required=True,
        when=("identity", PRINCIPAL),
    ),
    FormField(
        "client_secret",
        "Client secret",
        "Its value, not its ID.",
        type="secret",
        required=True,
        when=("identity", PRINCIPAL),
    ),
    FormField(
        "authority",
        "Sign-in address",
        "Another only in the clouds of governments and China.",
        required=True,
        default=AUTHORITY,
        when=("identity", PRINCIPAL),
    ),
    FormField(
        "endpoint",
        "Endpoint",
        "The account's address; empty for https://ACCOUNT.blob.core.windows.net.",
        placeholder="https://companydata.blob.core.windows.net",
    ),
    FormField(
        "ca",
        "Certificate authority",
        "PEM of who signed the endpoint's certificate, if it is not a public one.",
        type="long",
    ),
)

_CONTAINER = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]|\$web|\$root", re.ASCII)
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}", re.ASCII)
_TENANT = re.compile(r"[A-Za-z0-9.-]{1,253}", re.ASCII)
_SUFFIX = re.compile(r"[a-z0-9.-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account, and what signs in its name.

    Of ``key`` and ``signature`` (one that was made elsewhere) at most one is set; neither is for a
    service principal.
    """

    name: str
    endpoint: str
    key: str = field(default="", repr=False)
    signature: str = field(default="", repr=False)

    @classmethod
    def of(cls, source: Opened) -> Account:
        """The account of a source.

        Raises:
            SourceProblem: its connection string is none.
        """
        given = str(source.fields["endpoint"])
        if source.fields["identity"] == CONNECTION:
            return cls._connected(source.secrets["connection_string"], given)
        name = str(source.fields["account"])
        endpoint = given or f"https://{name}.blob.core.windows.net"
        return cls(name, endpoint.rstrip("/"), source.secrets.get("account_key", ""))

    @classmethod
    def _connected(cls, text: str, given: str) -> Account:
        parts = dict(one.split("=", 1) for one in text.strip().split(";") if "=" in one)
        name, suffix = parts.get("AccountName", ""), parts.get("EndpointSuffix", "core.windows.net")
        endpoint = given or parts.get("BlobEndpoint", "")
        if not endpoint and _ACCOUNT.fullmatch(name) and _SUFFIX.fullmatch(suffix):
            scheme = parts.get("DefaultEndpointsProtocol", "https")
            endpoint = f"{scheme}://{name}.blob.{suffix}"
        name = name or (urlsplit(endpoint).hostname or "").partition(".")[0]
        key, signature = parts.get("AccountKey", ""), parts.get("SharedAccessSignature", "")
        if not endpoint or not (key or signature):
            raise SourceProblem(
                "The connection string holds no account with a key.",
                remedy="Copy it whole, from DefaultEndpointsProtocol= on.",
            )
        return cls(name, endpoint.rstrip("/"), key, "" if key else signature.lstrip("?"))


def validate(source: Opened) -> None:
    """Refuse fields that cannot be right.

    Raises:
        SourceProblem: one cannot be; it names which.
    """
    fields = {name: str(value) for name, value in source.fields.items()}
    _must(fields["container"], _CONTAINER, "Container", "3 to 63 small letters, digits and '-'.")
    prefix_of(fields["prefix"])
    trusting(fields["ca"])
    if fields["identity"] != CONNECTION:
        _must(fields["account"], _ACCOUNT, "Storage account", "3 to 24 small letters and digits.")
    if fields["identity"] == PRINCIPAL:
        _must(fields["tenant"], _TENANT, "Tenant", "Its ID, or a domain such as example.com.")
        if not fields["authority"].startswith("https://"):
            raise SourceProblem("The sign-in address is not https://…", rule=Rule.DATA_ADDRESS)
    if fields["endpoint"]:
        _must_be_account(fields["endpoint"])
    if source.secrets.get("connection_string"):
        _must_be_account(Account.of(source).endpoint)


def _must_be_account(url: str) -> None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known, parts = False, urlsplit("")
    # Azurite and Azure Stack have the account in the path.
    deep = parts.path.strip("/").count("/") > 0
    if not known or deep or "@" in url or parts.query or parts.fragment:
        raise SourceProblem(
            "The endpoint is no address of a storage account.",
            remedy="Write it as https://ACCOUNT.blob.core.windows.net.",
            rule=Rule.DATA_ADDRESS,
        )


def _must(text: str, pattern: re.Pattern[str], label: str, remedy: str) -> None:
    if not pattern.fullmatch(text):
        raise SourceProblem(f"{label} cannot be {text[:100]!r}.", remedy=remedy)
