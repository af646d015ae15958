"""The verbs of the API on stored documents: create, update, delete, as a server carries them out."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from . import kinds
from .admission import Admission
from .defaults import with_defaults
from .kinds import Kind
from .statuses import (
    ApiError,
    Cause,
    Document,
    already_exists,
    bad_request,
    conflict,
    expired,
    forbidden,
    invalid,
    success,
)
from .store import Store, clone
from .validation import problems, problems_of_change

NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
SYSTEM_FIELDS = ("uid", "creationTimestamp", "resourceVersion", "selfLink")
KEPT_FIELDS = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
WITHOUT_GENERATION = {
    "Event",
    "Secret",
    "ConfigMap",
    "ServiceAccount",
    "Node",
    "Namespace",
    "Lease",
}
Clock = Callable[[], datetime]


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """A time as Kubernetes writes it: whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Registry:
    """What changes the store, whoever asks: people over HTTP, the scheduler, the kubelet."""

    def __init__(self, store: Store, clock: Clock = now) -> None:
        self.store = store
        self.clock = clock
        self.admission = Admission(store)
        # The certificate (PEM) that pods trust the API by.
        self.authority = ""

    def create(
        self, kind: Kind, document: Document, namespace: str = "", *, dry: bool = False
    ) -> Document:
        """Keep a new document: named, defaulted, admitted, validated.

        Raises:
            ApiError: refused.
        """
        made = self._fresh(kind, document, namespace)
        made = with_defaults(kind, made)
        made = self.admission.admit_new(kind, made)
        name = made["metadata"]["name"]
        if found := problems(kind, made):
            raise invalid(kind.group, kind.kind, name, found)
        self.admission.check_quota(kind, made)
        if dry:
            self._refuse_taken(kind, made)
            return made
        return self.store.add(kind, made)

    def update(self, kind: Kind, document: Document, part: str = "") -> Document:
        """Replace a document, or the ``status`` part of it; without a version, whatever is there.

        Raises:
            ApiError: refused, or changed meanwhile.
        """
        metadata = document["metadata"]
        before = self.store.get(kind, metadata.get("namespace", ""), metadata["name"])
        after = self._merged(kind, before, document, part)
        name = metadata["name"]
        if not part:
            after = with_defaults(kind, after)
            self.admission.admit_change(kind, before, after)
        if found := problems_of_change(kind, before, after, part):
            raise invalid(kind.group, kind.kind, name, found)
        after = self._counted(kind, before, after)
        kept = self.store.replace(kind, after)
        return self._removed_if_finalized(kind, kept)

    def change(
        self, kind: Kind, namespace: str, name: str, how: Callable[[Document], None], part: str = ""
    ) -> Document:
        """Change a document in place of its newest version: for the cluster's own parts."""
        document = clone(self.store.get(kind, namespace, name))
        how(document)
        return self.update(kind, document, part)

    def delete(
        self, kind: Kind, namespace: str, name: str, options: Document | None = None
    ) -> Document:
        """Delete, at once or with the grace that a pod has; returns what the client reads.

        Raises:
            ApiError: 404; 409, a precondition does not hold.
        """
        options = options or {}
        document = self.store.get(kind, namespace, name)
        self._check_preconditions(kind, document, options.get("preconditions") or {})
        if "All" in (options.get("dryRun") or []):
            return self._deleted_answer(kind, document)
        grace = self._grace(kind, document, options)
        if grace or held(kind, document):
            marked = self._marked(document, grace)
            if marked is not None:
                document = self.store.replace(kind, marked)
            return document
        return self._deleted_answer(kind, self.store.remove(kind, namespace, name))

    def _deleted_answer(self, kind: Kind, document: Document) -> Document:
        if kind.returns_deleted:
            return document
        metadata = document["metadata"]
        details = {"name": metadata["name"], "group": kind.group, "kind": kind.plural}
        shown = {key: value for key, value in details.items() if value}
        return success(shown | {"uid": metadata["uid"]})

    def _fresh(self, kind: Kind, document: Document, namespace: str) -> Document:
        made = clone(document)
        metadata = made.setdefault("metadata", {})
        self._place(kind, metadata, namespace)
        for field in (*SYSTEM_FIELDS, *KEPT_FIELDS):
            metadata.pop(field, None)
        if not metadata.get("name") and metadata.get("generateName"):
            ending = "".join(secrets.choice(NAME_LETTERS) for _ in range(5))
            metadata["name"] = metadata["generateName"][:58] + ending
        if not metadata.get("name"):
            raise nameless(kind)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = stamp(self.clock())
        if kind.kind not in WITHOUT_GENERATION:
            metadata["generation"] = 1
        made["apiVersion"], made["kind"] = kind.api_version, kind.kind
        if kind.kind == "Event":
            made["apiVersion"] = "v1"
        if "status" in kind.subresources and kind is not kinds.NODES:
            made.pop("status", None)
        return made

    def _place(self, kind: Kind, metadata: Document, namespace: str) -> None:
        if not kind.namespaced:
            metadata.pop("namespace", None)
            return
        given = metadata.setdefault("namespace", namespace)
        if given != namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        self.admission.check_namespace(kind, namespace, metadata.get("name", ""))

    def _refuse_taken(self, kind: Kind, document: Document) -> None:
        metadata = document["metadata"]
        if self.store.find(kind, metadata.get("namespace", ""), metadata["name"]):
            raise already_exists(kind.group, kind.plural, metadata["name"])

    def _merged(self, kind: Kind, before: Document, given: Document, part: str) -> Document:
        """What is kept: the part that is replaced is the client's, all else stays as it was."""
        after = clone(before if part else given)
        after["apiVersion"], after["kind"] = before["apiVersion"], before["kind"]
        if part == "finalize":
            after["spec"] = clone(given.get("spec") or {})
            wanted = given["metadata"].get("resourceVersion")
        elif part:
            after["status"] = clone(given.get("status") or {})
            wanted = given["metadata"].get("resourceVersion")
            for field in ("labels", "annotations"):
                if part == "status" and field in given["metadata"]:
                    after["metadata"][field] = given["metadata"][field]
        else:
            wanted = after["metadata"].get("resourceVersion")
            self._keep_system_fields(kind, before, after)
        after["metadata"]["resourceVersion"] = wanted or before["metadata"]["resourceVersion"]
        return after

    def _keep_system_fields(self, kind: Kind, before: Document, after: Document) -> None:
        old, new = before["metadata"], after["metadata"]
        if new.get("uid", old["uid"]) != old["uid"]:
            why = f"Precondition failed: UID in precondition: {new['uid']}, UID in object meta: {old['uid']}"
            raise conflict(kind.group, kind.plural, old["name"], why)
        for field in KEPT_FIELDS:
            new.pop(field, None)
            if field in old:
                new[field] = old[field]
        if "status" in kind.subresources:
            after.pop("status", None)
            if "status" in before:
                after["status"] = before["status"]

    def _counted(self, kind: Kind, before: Document, after: Document) -> Document:
        """The generation grows with each change of what is wanted."""
        if (
            "generation" in before["metadata"]
            and kind is not kinds.PODS
            and before.get("spec") != after.get("spec")
        ):
            after["metadata"]["generation"] = before["metadata"]["generation"] + 1
        return after

    def _removed_if_finalized(self, kind: Kind, document: Document) -> Document:
        metadata = document["metadata"]
        ends = "deletionTimestamp" in metadata and not held(kind, document)
        if ends and not metadata.get("deletionGracePeriodSeconds"):
            return self.store.remove(kind, metadata.get("namespace", ""), metadata["name"])
        return document

    def _check_preconditions(self, kind: Kind, document: Document, wanted: Document) -> None:
        for field, shown in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            have = document["metadata"][field]
            if field in wanted and wanted[field] != have:
                why = (
                    f"Precondition failed: {shown} in precondition: {wanted[field]}, "
                    f"{shown} in object meta: {have}"
                )
                raise conflict(kind.group, kind.plural, document["metadata"]["name"], why)

    def _grace(self, kind: Kind, document: Document, options: Document) -> int:
        """Seconds until a pod must be gone; 0 where nobody has to end it first."""
        if kind is not kinds.PODS:
            return 0
        ended = (document.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if not document["spec"].get("nodeName") or ended:
            return 0
        asked = options.get("gracePeriodSeconds")
        if asked is None:
            asked = document["spec"].get("terminationGracePeriodSeconds", 30)
        return 1 if asked < 0 else int(asked)

    def _marked(self, document: Document, grace: int) -> Document | None:
        """The document with its end written in it; none if it will end as soon already."""
        metadata = document["metadata"]
        sooner = grace < metadata.get("deletionGracePeriodSeconds", 0)
        if "deletionTimestamp" in metadata and not sooner:
            return None
        marked = clone(document)
        marked["metadata"]["deletionTimestamp"] = stamp(self.clock() + timedelta(seconds=grace))
        marked["metadata"]["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            marked["metadata"]["generation"] = metadata["generation"] + 1
        if document["kind"] == "Namespace":
            marked["status"] = {**marked.get("status", {}), "phase": "Terminating"}
        return marked


def held(kind: Kind, document: Document) -> bool:
    """Whether somebody must look after a document's end first (finalizers)."""
    if document["metadata"].get("finalizers"):
        return True
    return kind is kinds.NAMESPACES and bool(document.get("spec", {}).get("finalizers"))


def nameless(kind: Kind) -> ApiError:
    """422: neither a name nor the beginning of one."""
    cause = Cause(
        "FieldValueRequired", "metadata.name", "Required value: name or generateName is required"
    )
    return invalid(kind.group, kind.kind, "", [cause])


__all__ = ["Any", "Registry", "expired", "forbidden", "stamp"]
