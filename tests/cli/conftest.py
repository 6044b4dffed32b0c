"""Fixtures of the command line's tests: a real HQ, a practice, a connector in a folder of its own."""

from tests.office.conftest import connector, hq, practice

__all__ = ["connector", "hq", "practice"]
