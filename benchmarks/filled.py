"""A database that was just filled, made as it would be a while later."""

from __future__ import annotations

import sqlalchemy as sa


def settle(url: str) -> None:
    """Leave the tables as PostgreSQL's own housekeeping would soon: what was just filled is not yet known to it."""
    if url.startswith("postgresql"):
        parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(parsed, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
        engine.dispose()
