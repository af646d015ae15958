"""Problem answers (RFC 9457, ``application/problem+json``)."""

from __future__ import annotations

from pydantic import Field

from allotment.model.documents.document import Document


class ReasonDocument(Document):
    """One rule that stood in the way: see :class:`allotment.model.reasons.Reason`."""

    rule: str = Field(examples=["limit.devices"])
    message: str = Field(examples=["You hold 2 devices and may hold 2 (the platform's default)."])
    limit: int | None = None
    used: int | None = None
    asked: int | None = None
    remedy: str = ""
    details: tuple[str, ...] = ()


class Problem(Document):
    """Why a request was not carried out. Nothing was changed."""

    type: str = Field(examples=["urn:allotment:problem:refused"])
    title: str = Field(examples=["Refused by a rule"])
    status: int = Field(examples=[409])
    detail: str
    reasons: tuple[ReasonDocument, ...] = ()
    expected: int | None = Field(default=None, description="412: the revision that was sent")
    found: int | None = Field(default=None, description="412: the revision that is there")
