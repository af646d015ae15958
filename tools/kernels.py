"""Running code in a kernel of a person's server, as a notebook does: for tests and benchmarks."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

PATIENCE = 60


@dataclass
class Kernel:
    """One kernel of the Jupyter server at ``url``, asked with a token of its owner's."""

    url: str
    token: str
    folder: str = ""
    id: str = field(default="", init=False)

    def start(self) -> Kernel:
        """Start the kernel."""
        body = {"name": "python3", "path": self.folder}
        answer = httpx.post(
            f"{self.url}api/kernels", json=body, headers=self._headers, timeout=PATIENCE
        )
        self.id = str(answer.raise_for_status().json()["id"])
        return self

    def run(self, code: str) -> str:
        """Run code, and return what it printed.

        Raises:
            RuntimeError: the code raised.
        """
        return asyncio.run(asyncio.wait_for(self._run(code), PATIENCE))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    async def _run(self, code: str) -> str:
        address = self.url.replace("http", "ws", 1) + f"api/kernels/{self.id}/channels"
        socket = await websocket_connect(HTTPRequest(address, headers=self._headers))
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message: dict[str, Any] = {
            "channel": "shell",
            "header": header | {"username": "", "session": uuid.uuid4().hex},
            "parent_header": {},
            "metadata": {},
            "content": content,
        }
        await socket.write_message(json.dumps(message))
        printed, missing = "", {"execute_reply", "idle"}
        # What was printed may come after the reply: they take different ways.
        while missing and (received := await socket.read_message()) is not None:
            answer = json.loads(received)
            if answer["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if answer["msg_type"] == "stream":
                printed += answer["content"]["text"]
            if answer["msg_type"] == "error":
                raise RuntimeError("\n".join(answer["content"]["traceback"]))
            missing.discard(answer["msg_type"])
            missing.discard(answer["content"].get("execution_state", ""))
        socket.close()
        return printed
