"""Fixtures of the tests on real databases."""

from tests.support.mariadb import open_dental_url, own_server

__all__ = ["open_dental_url", "own_server"]
