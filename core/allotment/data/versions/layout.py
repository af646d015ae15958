"""How DVC lays versions out, so that DVC's own programs read what this platform wrote.

Contents lie under the MD5 of their bytes; the files of one version are one more such object, a JSON list
whose name ends in ``.dir``; a file ``datasets/SPACE.dvc`` in the git repository names that object, and
``.dvc/config`` says where the contents of each dataset are. A dataset's space is its name and a part that
no other ever has: whoever takes the name of a deleted dataset inherits no file, no tag and no store.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from allotment.model.versions import VersionFile

FOLDER = "datasets"
"""Of the repository, where datasets are."""
CONFIG = ".dvc/config"
_HASHED = 2
"""Characters of an MD5 that are its folder."""


def object_key(md5: str) -> str:
    """Where contents lie below a dataset's store."""
    return f"files/md5/{md5[:_HASHED]}/{md5[_HASHED:]}"


def sizes_key(tree: str) -> str:
    """Where this platform keeps the sizes of a version's files: DVC's own list has none."""
    return f"allotment/{tree}.json"


def directory(files: Iterable[VersionFile]) -> tuple[str, bytes]:
    """DVC's object for the files of a version: its name and its bytes, by DVC's own library."""
    from dvc_data.hashfile.hash_info import HashInfo  # noqa: PLC0415 - for the worker only
    from dvc_data.hashfile.meta import Meta  # noqa: PLC0415 - likewise
    from dvc_data.hashfile.tree import Tree  # noqa: PLC0415 - likewise

    tree = Tree()  # type: ignore[no-untyped-call] # theirs has no types
    for file in files:
        tree.add(tuple(file.path.split("/")), Meta(size=file.size), HashInfo("md5", file.md5))
    tree.digest()
    return str(tree.hash_info.value), tree.as_bytes()


def sizes(files: Iterable[VersionFile]) -> bytes:
    """The files of a version with their sizes, as they are kept beside DVC's list."""
    return json.dumps([[file.path, file.size, file.md5] for file in files]).encode()


def read_sizes(document: bytes) -> tuple[VersionFile, ...]:
    """Read what :func:`sizes` wrote."""
    return tuple(VersionFile(path, size, md5) for path, size, md5 in json.loads(document))


def pointer_path(space: str) -> str:
    """Where the repository says which files a dataset has."""
    return f"{FOLDER}/{space}.dvc"


def pointer(space: str, tree: str, files: Iterable[VersionFile], meta: Mapping[str, Any]) -> bytes:
    """The file that names a version's files, with what this platform knows of it under ``meta``."""
    listed = tuple(files)
    out = {
        "md5": tree,
        "size": sum(file.size for file in listed),
        "nfiles": len(listed),
        "hash": "md5",
        "path": space,
        "remote": space,
    }
    stream = io.StringIO()
    _yaml().dump({"outs": [out], "meta": {"allotment": dict(meta)}}, stream)
    return stream.getvalue().encode()


def tree_of(document: bytes) -> str:
    """The name of the object that a pointer names.

    Raises:
        ValueError: it is no pointer.
    """
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - beside _yaml

    try:
        tree = _yaml().load(document.decode())["outs"][0]["md5"]
    except (YAMLError, UnicodeDecodeError, LookupError, TypeError) as error:
        raise ValueError("no pointer of DVC") from error
    return str(tree)


def with_remote(config: bytes, space: str, remote: Mapping[str, str]) -> bytes:
    """DVC's configuration with a dataset's store in it; what else it says stays."""
    from configobj import ConfigObj  # noqa: PLC0415 - for the worker only

    changed = ConfigObj(config.decode().splitlines())
    changed[f'remote "{space}"'] = dict(remote)
    return ("\n".join(changed.write()) + "\n").encode()


def _yaml() -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415 - beside its errors

    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    return yaml
