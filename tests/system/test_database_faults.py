"""The database is killed and frozen under a whole office; people see a kind page, and it comes back without help."""

from pathlib import Path

import pytest

from tests.support.mariadb import MariaDb, own_server
from tests.support.whole import Whole, until
from tests.system.test_faults import PASSWORD, USER, home, home_with, text

__all__ = ["own_server"]


@pytest.mark.shared
def test_the_database_killed_and_frozen_comes_back_without_help(tmp_path: Path, own_server: MariaDb) -> None:
    server = own_server
    with Whole.running(tmp_path, database=server.url(server.open_dental("21.1"))) as whole:
        browser, page = whole.sign_in(USER, PASSWORD)
        assert page.status == 200
        server.kill()
        page = home_with(browser, 503)
        assert "records can&#39;t be reached" in text(page)
        reference = page.headers["x-reference"]
        until(lambda: "database-away" in whole.office_says("office", "failure", reference, check=False).stdout)
        server.start()
        assert until(lambda: home(browser).status == 200)
        server.freeze()
        page = home(browser)
        assert page.status in {503, 504}
        server.thaw()
        assert until(lambda: home(browser).status == 200)
        assert whole.stop("office") == 0
