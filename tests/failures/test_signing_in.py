"""Who cannot sign in reads one and the same page whatever the reason; the office's access log has the real one."""

import datetime as dt
import functools
import re

import pytest

from econnector.office.access import Try, tried
from econnector.storage.database import Database
from tests.failures.world import World
from tests.office.test_office import until
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.site import token_in

PAGE = "/o/smile/portal/sign-in"
REASONS = {
    "Nobody4711": "unknown user name",
    user_name(Cast.MARIA): "wrong password",
    user_name(Cast.ANA): "the office has not given access",
    user_name(Cast.OTTO): "version 13.1 or earlier",
    user_name(Cast.MERGED): "merged into another chart",
    user_name(Cast.BEN): "archived",
}


async def refused(world: World, name: str, password: str) -> tuple[int, str, str]:
    """Try to sign in; return status, the page without what differs each time, and the reference."""
    world.browser.cookies.clear()
    token = token_in((await world.browser.get(PAGE)).text)
    answer = await world.browser.post(PAGE, data={"user_name": name, "password": password, "form_token": token})
    page = re.sub(r"[2-9A-Z]{4}-[2-9A-Z]{4}|value=\"[^\"]*\"|nonce-?=?\"?[^\" ]*", "", answer.text)
    return answer.status_code, page, answer.headers["x-reference"]


async def logged(world: World, wanted: str) -> list[Try]:
    """Return the access log's lines with this reference, user name or patient, as the office's page finds them."""
    database, state = Database(world.database), Database(f"sqlite:///{world.connector.loaded().value.state_file}")
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    try:
        return (await tried(database, state, since, 50, find=wanted))[0]
    finally:
        await database.close()
        await state.close()


@pytest.mark.causes("login-failed", "too-many-tries", row="login: throttled", sees="patient, history")
@pytest.mark.causes(row="login: unknown name", sees="patient, history")
@pytest.mark.causes(row="login: wrong password", sees="patient, history")
@pytest.mark.causes(row="login: no access granted", sees="patient, history")
@pytest.mark.causes(row="login: password form from 13.1 or earlier", sees="patient, history")
@pytest.mark.causes(row="login: merged patient", sees="patient, history")
@pytest.mark.causes(row="login: archived patient", sees="patient, history")
async def test_every_reason_is_one_page_and_its_own_line_in_the_access_log(world: World) -> None:
    await world.enrol()
    async with world.working():
        await world.until_it_works(PAGE)
        pages = set()
        for name, reason in REASONS.items():
            password = "not this one" if name == user_name(Cast.MARIA) else PASSWORD
            status, page, reference = await refused(world, name, password)
            pages.add((status, page))
            assert "Login failed" in page
            (line,) = await until(functools.partial(logged, world, reference))
            assert reason in line.reason
        for _ in range(20):
            status, page, _ = await refused(world, user_name(Cast.MARIA), "nor this")
            pages.add((status, page))
            if "slowed" in {line.outcome for line in await logged(world, user_name(Cast.MARIA))}:
                break
        else:
            pytest.fail("nobody was slowed down")
        assert len(pages) == 1
