"""Handing mail to a mail server, by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from allotment.model.mail import Mail
from allotment.model.refusals import AllotmentError
from allotment.settings.mail import MailServer

PATIENCE = 15.0
"""Seconds that the mail server has for each answer."""


class MailServerAway(AllotmentError):
    """The mail server cannot be reached, or does not let us in. Shown to operators; holds no password."""


class MailRefused(AllotmentError):
    """The mail server refuses one mail. ``final``: it always will."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


@contextmanager
def connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """Reach the mail server and sign in; encrypted as the settings say.

    Raises:
        MailServerAway: it cannot be.
    """
    where = f"{server.host}:{server.port_number}"
    try:
        connection = _connect(server)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        message = f"The mail server {where} cannot be used: {_words(error)}."
        raise MailServerAway(message) from None
    try:
        yield connection
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()  # what was taken was taken: nothing hangs on a good-bye
        connection.close()


def _connect(server: MailServer) -> smtplib.SMTP:
    password = server.password()
    context = ssl.create_default_context(cafile=server.certificate_authority)
    if server.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port_number, timeout=PATIENCE, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port_number, timeout=PATIENCE)
    try:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user is not None:
            connection.login(server.user, password)
        else:
            connection.ehlo_or_helo_if_needed()
    except BaseException:
        connection.close()
        raise
    return connection


def send(connection: smtplib.SMTP, mail: Mail, server: MailServer, link: str) -> None:
    """Hand one mail over.

    Raises:
        MailRefused: the server takes this one not.
        MailServerAway: it answers no more.
    """
    try:
        connection.send_message(message_of(mail, server, link))
    except smtplib.SMTPRecipientsRefused as refused:
        code, said = next(iter(refused.recipients.values()))
        raise MailRefused(f"{code} {_decoded(said)}", final=code >= 500) from None  # noqa: PLR2004 - RFC 5321: for good
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as refused:
        final = refused.smtp_code >= 500  # noqa: PLR2004 - RFC 5321: for good
        raise MailRefused(_words(refused), final=final) from None
    except (OSError, smtplib.SMTPException) as error:
        message = f"The mail server {server.host} answered no more: {_words(error)}."
        raise MailServerAway(message) from None


def message_of(mail: Mail, server: MailServer, link: str) -> EmailMessage:
    """The mail as it is sent. Its Message-ID is the notice's: sent twice, it is still one."""
    message = EmailMessage()
    domain = parseaddr(server.sender)[1].partition("@")[2]
    message["From"] = server.sender
    message["To"] = mail.address
    message["Subject"] = " ".join(mail.notice.subject.split())
    message["Date"] = format_datetime(mail.made_at)
    message["Message-ID"] = f"<{mail.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    footer = f"\n\nYour servers: {link}" if link else ""
    message.set_content(f"Hello {mail.notice.person},\n\n{mail.notice.body}{footer}\n")
    return message


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:300] or type(error).__name__


def _decoded(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300]
