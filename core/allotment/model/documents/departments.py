"""Departments: groups above groups."""

from __future__ import annotations

from pydantic import Field

from allotment.model.documents.document import Document, Listing


class DepartmentCeiling(Document):
    """What all groups of a department may hold of a pool together, and hold now, in devices."""

    pool: str
    ceiling: int
    held: int


class Department(Document):
    """Groups whose ceilings bind together. A pool that is not named has no ceiling of the department's."""

    name: str
    title: str
    groups: tuple[str, ...] = Field(description="The groups in it, by name")
    ceilings: tuple[DepartmentCeiling, ...]
    revision: int


class DepartmentListing(Listing):
    """Departments, by name."""

    items: tuple[Department, ...]
