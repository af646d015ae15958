"""Read by Alembic's command line only; the product migrates in allotment.record.migrating."""
