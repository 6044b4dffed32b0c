"""The offices that the portal's tests ask."""

from tests.support.practice import portal_office, portal_office_latest, portal_office_sqlite

__all__ = ["portal_office", "portal_office_latest", "portal_office_sqlite"]
