"""Object stores and folders, as polars and fsspec open them with what was lent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from allotment.model.sources import SourceKind
from allotment.notebook.lending import Lend, Lent

Secrets = tuple[dict[str, str], int | None]
"""What polars is told when it asks for a credential: its words, and when it ends, in seconds since 1970."""


def _plain(url: str) -> str:
    return "true" if url.startswith("http:") else "false"


def _s3_options(lent: Lent) -> dict[str, str]:
    endpoint = lent.text("endpoint")
    options = {"aws_region": lent.text("region", "us-east-1")}
    if endpoint:
        options |= {"aws_endpoint_url": endpoint, "aws_allow_http": _plain(endpoint)}
    hosted = "false" if lent.fields.get("path_style") else "true"
    return options | {"aws_virtual_hosted_style_request": hosted}


def _s3_secrets(lent: Lent) -> dict[str, str]:
    words = {
        "aws_access_key_id": lent.text("access_key_id"),
        "aws_secret_access_key": lent.text("secret_access_key"),
    }
    token = lent.text("session_token")
    return words | {"aws_session_token": token} if token else words


def _azure_options(lent: Lent) -> dict[str, str]:
    endpoint = lent.text("endpoint")
    options = {"azure_storage_account_name": lent.text("account")}
    if endpoint:
        options |= {"azure_endpoint": endpoint, "azure_allow_http": _plain(endpoint)}
    return options


def _azure_secrets(lent: Lent) -> dict[str, str]:
    return {"sas_token": lent.text("sas")}


def _gcs_options(_: Lent) -> dict[str, str]:
    return {}


def _gcs_secrets(lent: Lent) -> dict[str, str]:
    return {"bearer_token": lent.text("token")}


@dataclass(frozen=True, slots=True)
class _Words:
    """How polars is told of one kind of store."""

    scheme: str
    options: Callable[[Lent], dict[str, str]]
    secrets: Callable[[Lent], dict[str, str]]


_POLARS: Mapping[SourceKind, _Words] = {
    SourceKind.S3: _Words("s3", _s3_options, _s3_secrets),
    SourceKind.AZURE: _Words("az", _azure_options, _azure_secrets),
    SourceKind.GCS: _Words("gs", _gcs_options, _gcs_secrets),
}

STORES = frozenset({*_POLARS, SourceKind.FOLDER})
"""Kinds that hold files."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object lies: its bucket or container, and its key. In a folder the path alone."""

    bucket: str
    key: str

    @classmethod
    def of(cls, uri: str) -> Place:
        """Read ``s3://bucket/key``, ``azure://container/key``, ``abfss://container@account…/key``, ``gs://bucket/key`` or a path."""
        if "://" not in uri:
            return cls("", uri)
        # Not urlsplit: a key may hold "?" and "#".
        bucket, _, key = uri.split("://", 1)[1].partition("/")
        return cls(bucket.partition("@")[0], key)

    @property
    def location(self) -> str:
        """The same in fsspec's words."""
        return f"{self.bucket}/{self.key}" if self.bucket else self.key


def speaks_to(lent: Lent) -> bool:
    """Whether polars can read this store itself: of Google's it speaks an interface that stand-ins lack."""
    return lent.kind is not SourceKind.GCS or not lent.text("endpoint")


def polars_uri(kind: SourceKind, uri: str) -> str:
    """The URI as polars reads it."""
    if kind is SourceKind.FOLDER:
        return uri
    place = Place.of(uri)
    return f"{_POLARS[kind].scheme}://{place.bucket}/{place.key}"


def polars_options(lent: Lent, lend: Lend) -> dict[str, Any]:
    """``storage_options`` and ``credential_provider`` of polars' scans; the latter renews while a scan goes on."""
    if lent.kind is SourceKind.FOLDER:
        return {}
    words = _POLARS[lent.kind]

    def provide() -> Secrets:
        now = lend()
        # polars compares with this machine's clock, whatever that says.
        left = None if now.renew_at is None else max(now.renew_at - time.monotonic(), 1.0)
        return words.secrets(now), None if left is None else int(time.time() + left)

    return {"storage_options": words.options(lent), "credential_provider": provide}


def filesystem(lent: Lent) -> Any:
    """An fsspec filesystem that reads with this credential, until it ends."""
    return _FILESYSTEMS[lent.kind](lent)


def renewing_filesystem(lend: Lend) -> Any:
    """An fsspec filesystem that goes on reading when a credential ends: with the next one."""
    lent = lend()
    if lent.kind is SourceKind.FOLDER:
        return filesystem(lent)
    from allotment.notebook.renewing_files import RenewingFiles  # noqa: PLC0415 - needs fsspec

    return RenewingFiles(lend, filesystem)


def _folder_files(_: Lent) -> Any:
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415 - heavy

    return LocalFileSystem(skip_instance_cache=True)


def _s3_files(lent: Lent) -> Any:
    from s3fs import S3FileSystem  # noqa: PLC0415 - heavy

    style = "path" if lent.fields.get("path_style") else "auto"
    return S3FileSystem(
        key=lent.text("access_key_id"),
        secret=lent.text("secret_access_key"),
        token=lent.text("session_token") or None,
        endpoint_url=lent.text("endpoint") or None,
        client_kwargs={"region_name": lent.text("region", "us-east-1")},
        config_kwargs={
            "s3": {"addressing_style": style},
            "connect_timeout": 10,
            "retries": {"max_attempts": 2},
        },
        skip_instance_cache=True,
    )


def _azure_files(lent: Lent) -> Any:
    from adlfs import AzureBlobFileSystem  # noqa: PLC0415 - heavy

    account, endpoint = lent.text("account"), lent.text("endpoint")
    sas = lent.text("sas")
    if endpoint and not endpoint.endswith(".blob.core.windows.net"):
        words = f"BlobEndpoint={endpoint};SharedAccessSignature={sas}"
        return AzureBlobFileSystem(
            account_name=account, connection_string=words, skip_instance_cache=True
        )
    return AzureBlobFileSystem(account_name=account, sas_token=sas, skip_instance_cache=True)


def _gcs_files(lent: Lent) -> Any:
    # The package's own name is a variant that asks Google by gRPC what sort of bucket it is, for a minute.
    from gcsfs.core import GCSFileSystem  # noqa: PLC0415 - heavy
    from google.oauth2.credentials import Credentials  # noqa: PLC0415 - heavy

    token: Any = Credentials(token=lent.text("token"))  # type: ignore[no-untyped-call]  # google-auth is untyped
    return GCSFileSystem(
        project=lent.text("project") or None,
        token=token,
        access="read_only",
        endpoint_url=lent.text("endpoint") or None,
        skip_instance_cache=True,
    )


_FILESYSTEMS: Mapping[SourceKind, Callable[[Lent], Any]] = {
    SourceKind.FOLDER: _folder_files,
    SourceKind.S3: _s3_files,
    SourceKind.AZURE: _azure_files,
    SourceKind.GCS: _gcs_files,
}
