"""A dental practice that never was: made-up people, money that adds up, and every case a portal has to get right.

`compose(today, seed)` makes it; the same day and seed give the same practice. Nothing here touches a database: the
result is rows by table (`Book`), files by path, and the sample sign-ins. `econnector.demo.place` writes them down.
"""

from econnector.demo.practice.book import Book
from econnector.demo.practice.compose import Practice, compose
from econnector.demo.practice.people import File, SignIn

__all__ = ["Book", "File", "Practice", "SignIn", "compose"]
