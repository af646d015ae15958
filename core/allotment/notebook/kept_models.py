"""Models: registered with the file that holds them, and fetched again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from allotment.client import AllotmentClient
from allotment.model.documents import RegisteredModel
from allotment.notebook.problems import DataProblem
from allotment.notebook.progress import Progress, carry_out

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_STORES = ("s3", "azure:", "az:", "abfs", "gs:", "gcs:")
_REGISTRIES = ("models:", "runs:", "mlflow-artifacts:")


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
    model = max(wanted, key=lambda item: (item.created_at or _LONG_AGO, item.version))
    if not model.file:
        message = f"No file of {name} {model.version} is kept by the platform. {_where(model)}"
        raise DataProblem(message)
    into.mkdir(parents=True, exist_ok=True)
    # The name came from whoever registered it: its last part alone, or it would lead elsewhere.
    file = into / Path(model.file).name
    progress = Progress(f"Fetching model {name} {model.version}", total=model.size)
    return carry_out(lambda: client.models.download(name, model.version, file), progress)


def _where(model: RegisteredModel) -> str:
    """Where a model lies of which no file is kept, and what opens that."""
    if not model.uri:
        return f"Its file was never sent: ask {model.person}, or name another version."
    if model.uri.startswith(_STORES):
        how = "allotment.path(SOURCE) opens it, where SOURCE is one of allotment.sources() that covers it"
    elif model.uri.startswith(_REGISTRIES):
        how = "MLflow opens it"
    else:
        how = "open it yourself"
    return f"It lies at {model.uri}: {how}."
