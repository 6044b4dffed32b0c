"""Alembic's scripts for HQ's registry; `migrate.py` runs them."""
