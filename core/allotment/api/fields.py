"""What parts of requests may look like, so that the description says exactly what is accepted."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from allotment.api.views.names import PATTERN as SERVER_PATTERN
from allotment.model.names import NAME_PATTERN, NAME_RULE, PERSON_PATTERN, PERSON_RULE

_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_DEVICE = r"^[!-.0-~]{1,128}$"

NameField = Annotated[
    str,
    StringConstraints(pattern=NAME_PATTERN, max_length=63),
    Field(description=NAME_RULE, examples=["vision"]),
]
PersonField = Annotated[
    str,
    StringConstraints(pattern=PERSON_PATTERN, max_length=128),
    Field(description=PERSON_RULE, examples=["analyst-1"]),
]
DeviceField = Annotated[
    str, StringConstraints(pattern=_DEVICE, max_length=128), Field(examples=["gpu-0"])
]
ServerField = Annotated[
    str,
    StringConstraints(pattern=SERVER_PATTERN, max_length=400),
    Field(description="hub~person~name", examples=["hub~analyst-1~train"]),
]
Title = Annotated[str, StringConstraints(pattern=_TEXT, max_length=200)]
Words = Annotated[str, StringConstraints(pattern=_TEXT, max_length=1000)]
Count = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]

NamePath = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, description=NAME_RULE)]
PersonPath = Annotated[str, Path(pattern=PERSON_PATTERN, max_length=128, description=PERSON_RULE)]
DevicePath = Annotated[str, Path(pattern=_DEVICE, max_length=128)]
ServerPath = Annotated[
    str, Path(pattern=SERVER_PATTERN, max_length=400, description="hub~person~name")
]
NameQuery = Annotated[str | None, Query(pattern=NAME_PATTERN, max_length=63)]
PersonQuery = Annotated[str | None, Query(pattern=PERSON_PATTERN, max_length=128)]
Sequence = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**53,
        description="Only what changed after this sequence, where that is little: see complete",
    ),
]


class Body(BaseModel):
    """What a request asks for. Keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
