"""`@pytest.mark.causes("code", …)`: the test really makes the product meet these failures, or it does not pass.

A failure counts when the product's own code made it in this process, during the test: neither one that the test made
itself nor one that was only read off a link. With `aside=True` it happens in another process, where nobody can look;
then the test has to name the code in what it asserts, which `tests/failures/test_coverage.py` looks after.
"""

import sys
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

from econnector.base.errors import Failure, failure_from

__all__ = ["Causing"]

_REBUILT = failure_from.__code__
_SPECIMENS = "/econnector/web/specimens.py"
_SEEN = pytest.StashKey[set[str]]()


class Causing:
    """The plugin: listens while a marked test runs."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Keep the codes of the failures that are made from the test's set-up to its end."""
        if not _promised(item):
            return (yield)
        seen = item.stash[_SEEN] = set()
        made = Failure.__init__

        def listening(self: Failure, **facts: Any) -> None:
            if _by_the_product(sys._getframe(1)):
                seen.add(self.code)
            made(self, **facts)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Failure, "__init__", listening)
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that passed without causing what it promised."""
        result = yield
        seen: set[str] = item.stash.get(_SEEN, set())
        if missed := _promised(item) - seen:
            pytest.fail(f"it caused no {', '.join(sorted(missed))}, which its mark promises")
        return result


def _promised(item: pytest.Item) -> set[str]:
    marks = [mark for mark in item.iter_markers("causes") if not mark.kwargs.get("aside")]
    return {code for mark in marks for code in mark.args}


def _by_the_product(caller: FrameType) -> bool:
    if caller.f_code is _REBUILT:
        return False
    file = caller.f_code.co_filename.replace("\\", "/")
    return "/src/econnector/" in file and not file.endswith(_SPECIMENS)
