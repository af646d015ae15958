"""Reading the settings file: its shape, then what its parts say about each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from allotment.model.refusals import SettingsInvalid
from allotment.settings.document import Document, Place, Problem, parse_document, read_document
from allotment.settings.expectations import fit
from allotment.settings.record import check_record, with_place_of_password
from allotment.settings.references import check_references
from allotment.settings.schema import STATE, Settings

PROFILES = Path("profiles")


def load_settings(path: Path, state: Path | None = None) -> Settings:
    """Read the settings file of a platform.

    Folders of profiles are taken from the file's own folder; with none named, its folder
    ``profiles`` is used where there is one. With ``state``, the folder that holds
    what the hub writes, ``{state}`` in the record's address is replaced.

    Raises:
        SettingsInvalid: the file cannot be used; every problem is named with file, line and key.
    """
    document = read_document(path)
    folder = path.resolve().parent
    settings = _settings(document, folder)
    data = settings.data.placed(folder, None if state is None else state.resolve())
    settings = settings.model_copy(update={"data": data})
    if state is not None:
        address = settings.record.replace(STATE, str(state.resolve()))
        settings = settings.model_copy(update={"record": address})
    return settings.found_in(document)


def parse_settings(text: str, name: str = "settings") -> Settings:
    """Read settings that came as text, from another machine: its folders are not looked at.

    Raises:
        SettingsInvalid: as for :func:`load_settings`.
    """
    document = parse_document(text.encode(), name)
    return _settings(document, None).found_in(document)


def _settings(document: Document, folder: Path | None) -> Settings:
    settings, misfits = fit(document, Settings)
    problems = [*document.problems, *misfits, *check_references(document), *check_record(document)]
    if folder is not None:
        problems += _folders(document, folder)
    if problems or settings is None:
        raise SettingsInvalid(tuple(str(problem) for problem in sorted(set(problems))))
    if folder is not None:
        named = settings.profiles or (PROFILES,)
        places = tuple((folder / name).resolve() for name in named if (folder / name).is_dir())
        environments = tuple(
            (folder / name).resolve() for name in settings.servers.python_environments
        )
        servers = settings.servers.model_copy(update={"python_environments": environments})
        mail = None if settings.mail is None else settings.mail.beside(folder)
        cluster = None if settings.kubernetes is None else settings.kubernetes.beside(folder)
        apart = None if settings.control_plane is None else settings.control_plane.beside(folder)
        settings = settings.model_copy(
            update={
                "control_plane": apart,
                "profiles": places,
                "servers": servers,
                "homes": settings.homes.beside(folder),
                "mail": mail,
                "sign_in": settings.sign_in.beside(folder),
                "kubernetes": cluster,
                "sources": tuple(one.beside(folder) for one in settings.sources),
                "record": with_place_of_password(
                    settings.record,
                    settings.record_password_file,
                    settings.record_password_variable,
                    folder,
                ),
            }
        )
    return settings


def _folders(document: Document, folder: Path) -> Iterator[Problem]:
    servers = document.value.get("servers")
    environments = servers.get("python_environments") if isinstance(servers, dict) else None
    named: tuple[tuple[Place, object], ...] = (
        (("profiles",), document.value.get("profiles")),
        (("servers", "python_environments"), environments),
    )
    for place, names in named:
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str) and not (folder / name).is_dir():
                missing = f"there is no folder {str(folder / name)!r}"
                yield document.problem((*place, index), missing)
