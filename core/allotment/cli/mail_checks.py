"""Whether the mail server that the settings name can be used."""

from __future__ import annotations

from collections.abc import Iterator

from allotment.cli.findings import Finding, Machine, fail, ok


def mail(machine: Machine) -> Iterator[Finding]:
    """Reach the mail server and sign in, sending nothing."""
    settings = machine.usable_settings()
    if settings is None or settings.mail is None:
        return
    from allotment.work.post_office import MailServerAway, connected  # noqa: PLC0415 - needs a hub's parts

    server = settings.mail
    try:
        with connected(server):
            secure = {"none": "not encrypted", "tls": "TLS", "starttls": "STARTTLS"}
            found = f"{server.host}:{server.port_number}, {secure[server.security]}"
            yield ok("Mail", f"{found}, as {server.sender}")
    except MailServerAway as away:
        yield fail(
            "Mail", str(away), "Mend mail: in the settings, or the server; mail waits meanwhile."
        )
