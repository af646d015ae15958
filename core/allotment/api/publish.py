"""``python -m allotment.api.publish FILE``: write the API's description (OpenAPI) to a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from allotment.api.application import routed
from allotment.api.describing import describe


def description() -> str:
    """The description as it is published: the same for the same routes."""
    return json.dumps(describe(routed()), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write the description; 2 where no file is named."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m allotment.api.publish FILE\n")
        return 2
    Path(arguments[0]).write_text(description(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
