"""Models: registered with the file that holds them, and fetched again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from allotment.client import AllotmentClient
from allotment.model.documents import RegisteredModel
from allotment.notebook.problems import DataProblem
from allotment.notebook.progress import Progress, carry_out


def register(
    client: AllotmentClient, name: str, version: str, file: Path | None, more: dict[str, Any]
) -> RegisteredModel:
    """Register a version of a model; one whose file does not arrive is not registered."""
    if file is not None and not file.is_file():
        message = f"There is no file {file}. A folder is kept as one file: pack it first."
        raise DataProblem(message)
    made = client.models.create(name, version, **more)
    if file is None:
        return made
    progress = Progress(f"Keeping model {name} {version}", total=file.stat().st_size)
    try:
        return carry_out(lambda: client.models.upload(name, version, file), progress)
    except BaseException:
        client.models.delete(name, version)
        raise


def fetch(client: AllotmentClient, name: str, version: str | None, into: Path) -> Path:
    """Fetch a model's kept file into a folder, unless it lies there already as it is kept."""
    known = [item for item in client.models.all().items if item.name == name]
    wanted = [item for item in known if version in (None, item.version)]
    if not wanted:
        have = ", ".join(item.version for item in known) or "none"
        message = f"There is no model {name!r} in version {version or 'any'}. Its versions: {have}."
        raise DataProblem(message)
    model = wanted[0]
    if not model.file:
        where = f"It lies at {model.uri}." if model.uri else "Its file was never sent."
        message = f"No file of {name} {model.version} is kept by the platform. {where}"
        raise DataProblem(message)
    into.mkdir(parents=True, exist_ok=True)
    # The name came from whoever registered it: its last part alone, or it would lead elsewhere.
    file = into / Path(model.file).name
    progress = Progress(f"Fetching model {name} {model.version}", total=model.size)
    return carry_out(lambda: client.models.download(name, model.version, file), progress)
