"""The record: the one authority, in SQLite or PostgreSQL. One module per aggregate."""

from allotment.record.engine import Reading, Record, Writing, open_record

__all__ = ["Reading", "Record", "Writing", "open_record"]
