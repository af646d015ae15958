"""The command line: ``allotment``. It asks the control plane, and looks after the machine it runs on."""

from allotment.cli.program import app, main

__all__ = ["app", "main"]
