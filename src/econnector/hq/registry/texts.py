"""Texts from outside, made to fit a column: a connector may say anything, and PostgreSQL refuses what is too long."""

from typing import Any

import sqlalchemy as sa

__all__ = ["fitting"]


def fitting(table: sa.Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with every text cut to its column's length, and without what no database takes."""
    return {name: _fit(table.c[name].type, value) for name, value in values.items()}


def _fit(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if not isinstance(value, str) or not isinstance(kind, sa.String):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode()[: kind.length]
