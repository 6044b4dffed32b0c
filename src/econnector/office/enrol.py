"""Making this machine known to HQ: once, with the registration key."""

import asyncio

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import HqAway
from econnector.base.registration import checked_key
from econnector.base.settings import Loaded
from econnector.base.version import version
from econnector.link.dial import Dialler
from econnector.link.identity import Identity, Install
from econnector.link.state import LinkState, Status
from econnector.office.addresses import hq_url
from econnector.office.settings import Settings
from econnector.office.standing import EPOCH, OFFICE, STANDBY
from econnector.storage.database import Database
from econnector.storage.state import meta
from econnector.storage.state.base import open_state
from econnector.wire.call import Answers

__all__ = ["enrol"]

SECONDS = 30.0


async def enrol(loaded: Loaded[Settings], key: str, *, clock: Clock = SYSTEM) -> LinkState:
    """Enrol this installation with a registration key; return what HQ said.

    Raises:
        KeyUnknown: the key is mistyped, or HQ does not know it.
        StateLocked: the connector runs; it must be stopped first.
        Failure: HQ's own refusal (`KeyInactive`, `OwnedElsewhere`), or why it cannot be reached.
    """
    plain, url = checked_key(key), hq_url(loaded)
    state = await open_state(loaded.value.state_file)
    try:
        secret = await state.run(meta.identity_secret)
        identity = Identity.load(secret) if secret else Identity.make()
        # Kept before HQ hears of it: a key that HQ knows and we lost would lock this office out.
        await state.run(meta.keep_identity, identity.secret())
        install = Install(await state.run(meta.install_id), loaded.value.machine_name, version())
        welcomed = await _knock(loaded, url, identity, install, plain, clock)
        await _keep(state, welcomed)
        return welcomed
    finally:
        await state.close()


async def _knock(  # noqa: PLR0913, PLR0917 - what a dialler takes
    loaded: Loaded[Settings], url: str, identity: Identity, install: Install, key: str, clock: Clock
) -> LinkState:
    over: asyncio.Future[LinkState] = asyncio.get_running_loop().create_future()

    def heed(state: LinkState) -> None:
        if not over.done() and (state.status is Status.ONLINE or state.failure is not None):
            over.set_result(state)

    hq = loaded.value.hq
    dialler = Dialler(
        url,
        identity,
        install,
        Answers(),
        registration_key=key,
        ca=hq.ca,
        proxy=hq.way_out(),
        clock=clock,
        on_change=heed,
    )
    running = asyncio.create_task(dialler.run())
    try:
        async with asyncio.timeout(SECONDS):
            state = await over
    except TimeoutError:
        raise HqAway(url=url, reason=f"no answer within {SECONDS:g} seconds") from None
    finally:
        await dialler.stop(1.0)
        await running
    if state.failure is not None:
        raise state.failure
    return state


async def _keep(state: Database, welcomed: LinkState) -> None:
    await state.run(meta.write, OFFICE, welcomed.office)
    await state.run(meta.write, EPOCH, str(welcomed.epoch))
    await state.run(meta.write, STANDBY, "")
