"""A mail server for tests: it keeps what it takes, and may ask for encryption and a password."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hubs import free_port


@dataclass
class Inbox:
    """What a mail server took. ``answers`` are what it says to the next mails instead of taking them."""

    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    async def handle_DATA(  # noqa: N802 - the name that the library calls
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Take a mail, or refuse it."""
        if self.answers:
            return self.answers.pop(0)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)  # noqa: S101 - what that policy makes
        self.taken.append(message)
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        """Whom each mail is to, and its subject."""
        return [f"{one['To']}: {one['Subject']}" for one in self.taken]


@contextmanager
def listening(inbox: Inbox, **options: Any) -> Iterator[Inbox]:
    """Let a mail server take mail on a port of this machine."""
    controller = Controller(inbox, hostname="localhost", port=inbox.port, **options)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


@contextmanager
def guarded(inbox: Inbox, folder: Path, password: str) -> Iterator[Path]:
    """The same, taking mail only after STARTTLS and with a password; yields whom its certificate is signed by."""
    authority, key = certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority, key)

    def check(_server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=known, handled=False)

    asked = {"require_starttls": True, "auth_required": True, "authenticator": check}
    with listening(inbox, tls_context=context, **asked):
        yield authority


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine that signed itself, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(encoding))
    written = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(written)
    return folder / "cert.pem", folder / "key.pem"
