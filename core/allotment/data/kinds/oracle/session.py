"""Connections to Oracle by its thin driver, each address checked, each call bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from allotment.data.door import Door
from allotment.data.kinds.connections import CALL_SECONDS, CONNECT_SECONDS, spoken, trusting
from allotment.data.kinds.kind import Opened
from allotment.data.problems import SourceProblem

if TYPE_CHECKING:
    import oracledb

Answer = TypeVar("Answer")
_REMEDIES = {
    "ORA-01017": "Enter account and password again.",
    "ORA-28000": "The account is locked; its database's administrator can open it.",
    "ORA-28001": "The password has expired; change it there, and enter it here.",
    "ORA-01045": "Grant it CREATE SESSION.",
    "ORA-12514": "Check the name of the service.",
    "DPY-6001": "Check the name of the service.",
    "DPY-6005": "Check host and port.",
}


@dataclass(frozen=True, slots=True)
class OracleLogin:
    """How to reach an Oracle database, and as whom."""

    host: str
    port: int
    service: str
    user: str
    password: str = field(repr=False)
    tls: str = "verify"
    ca: str = ""

    @classmethod
    def registered(cls, source: Opened) -> OracleLogin:
        """The account that was registered."""
        return cls(
            host=str(source.fields["host"]),
            port=int(source.fields["port"]),
            service=str(source.fields["service"]),
            user=str(source.fields["user"]),
            password=source.secrets.get("password", ""),
            tls=str(source.fields["tls"]),
            ca=str(source.fields["ca"]),
        )

    @property
    def protocol(self) -> str:
        """In Oracle's words."""
        return "tcp" if self.tls == "off" else "tcps"

    @property
    def address(self) -> str:
        """As Oracle's programs take it (Easy Connect)."""
        return f"{self.protocol}://{self.host}:{self.port}/{self.service}"


class _Guarded(asyncio.SelectorEventLoop):
    """Connects through the door. A listener may send a client on to any other address."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door
        self.refusal: SourceProblem | None = None

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        """Check the address, which the driver has resolved, and connect to just that."""
        host, port = args[1], args[2]
        try:
            address = self._door.host(str(host), int(port))
        except SourceProblem as refused:
            # The driver tells its own story about what fails here.
            self.refusal = refused
            raise ConnectionRefusedError from refused
        return await super().create_connection(args[0], address, port, *args[3:], **options)


def asked(
    login: OracleLogin,
    door: Door,
    work: Callable[[oracledb.AsyncConnection], Awaitable[Answer]],
) -> Answer:
    """Do something over a connection of its own.

    By the driver's asynchronous side: the other waits for ever on a server that never answers.

    Raises:
        SourceProblem: it could not be reached, or refused.
    """
    door.host(login.host, login.port)
    loop = _Guarded(door)
    where = f"Oracle at {login.host}:{login.port}"
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(_bounded(login, work))
        except TimeoutError:
            raise SourceProblem(
                f"{where} did not answer in time.",
                remedy="Check host and port, and whether a firewall stands between.",
            ) from None
        except _database_error() as error:
            if loop.refusal is not None:
                raise loop.refusal from None
            raise told(where, error, (login.password,)) from None


async def _bounded(
    login: OracleLogin, work: Callable[[oracledb.AsyncConnection], Awaitable[Answer]]
) -> Answer:
    import oracledb

    async with asyncio.timeout(CALL_SECONDS):
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await oracledb.connect_async(
                host=login.host,
                port=login.port,
                service_name=login.service,
                protocol=login.protocol,
                user=login.user,
                password=login.password,
                ssl_context=trusting(login.ca) if login.tls == "verify" else None,
                tcp_connect_timeout=CONNECT_SECONDS,
                retry_count=0,
                program="allotment",
            )
        try:
            return await work(connection)
        finally:
            with suppress(oracledb.Error):
                await connection.close()


def _database_error() -> type[Exception]:
    import oracledb

    return oracledb.Error


def told(where: str, error: BaseException, secrets: Collection[str]) -> SourceProblem:
    """One of the driver's errors in words."""
    cause = error.args[0] if error.args else error
    code = str(getattr(cause, "full_code", ""))
    words = Exception(str(getattr(cause, "message", cause)).partition("\nHelp:")[0])
    return SourceProblem(f"{where}: {spoken(words, secrets)}", remedy=_REMEDIES.get(code, ""))


async def rows(connection: oracledb.AsyncConnection, query: str, **values: Any) -> list[Any]:
    """The rows of a query, its values named with a colon."""
    return list(await connection.fetchall(query, values))
