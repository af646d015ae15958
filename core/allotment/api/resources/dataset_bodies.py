"""What is sent to register and change datasets."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from allotment.api.fields import Body, NameField, Title
from allotment.api.resources.source_bodies import AudienceField, Text
from allotment.model.datasets import FileFormat, PrivacyLabel

Uri = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
Uris = Annotated[
    tuple[Uri, ...],
    Field(
        min_length=1,
        max_length=1000,
        description="Files, folders (ending in /) or patterns",
        examples=[["s3://lake/sales/"]],
    ),
]
Options = Annotated[
    dict[Annotated[str, StringConstraints(max_length=80)], JsonValue],
    Field(max_length=50, description="How a CSV is read, where it is not as found out"),
]


class NewDataset(Body):
    """Files that are to be registered under a name."""

    name: NameField
    uris: Uris
    format: FileFormat | None = Field(default=None, description="null: found out")
    title: Title = ""
    description: Text = ""
    source: NameField | None = Field(
        default=None, description="null: the best source that opens the URIs"
    )
    options: Options = Field(default_factory=dict)
    label: PrivacyLabel = PrivacyLabel.INTERNAL
    audience: AudienceField | None = Field(default=None, description="null: whoever registers it")
    group: NameField | None = Field(default=None, description="The group whose leads manage it")
    target: NameField | None = Field(default=None, description="Where its versions are kept")


class DatasetEdit(Body):
    """What is to change of a dataset; what is left out stays. Its files are read again where that needs it."""

    uris: Uris = ("file:///",)
    format: FileFormat | None = None
    title: Title = ""
    description: Text = ""
    source: NameField | None = None
    options: Options = Field(default_factory=dict)
    label: PrivacyLabel = PrivacyLabel.INTERNAL
    audience: AudienceField = AudienceField()
    group: NameField | None = None
    target: NameField | None = None
    enabled: bool = Field(default=True, strict=True)

    def given(self) -> dict[str, Any]:
        """What was sent."""
        return {key: getattr(self, key) for key in self.model_fields_set}
