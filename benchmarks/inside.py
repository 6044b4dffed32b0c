"""The portal served inside the office: the same pages and answers without HQ and link, and a file as plain as it gets.

What `make bench` compares with. Run as a process: python -m benchmarks.inside SETTINGS PORT FILE
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from econnector.base.clock import SYSTEM
from econnector.eservices.portal.office.cashier import Cashier, MerchantTills
from econnector.eservices.portal.web import routes
from econnector.link.loopback import DirectAsker
from econnector.office.addresses import database_place
from econnector.office.answers import office_answers
from econnector.office.mail.postbox import Postbox
from econnector.office.payments import payment_terms
from econnector.office.settings import load_settings
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from econnector.storage.state.sealing import Seal
from econnector.web.door import Door

OFFICE = "juniper-hill"
BASE = f"/o/{OFFICE}/portal"


async def serve(settings_file: Path, port: int, file: Path) -> None:
    """Serve until killed."""
    loaded = load_settings(settings_file)
    place = database_place(loaded)
    database = Database(place.url, password=place.password, ca=place.ca, guard=guard)
    state = await open_state(settings_file.with_name("inside.sqlite"))
    images = ImageStore(loaded.value.images.root, loaded.value.machine_name)
    post, seal, tills = Postbox(state, SYSTEM), Seal(), MerchantTills(payment_terms(loaded), SYSTEM)
    cashier = Cashier(database, state, Schemas(), SYSTEM, tills, post=post, seal=seal)
    answers = office_answers(
        database, state, Schemas(), images, SYSTEM, check=lambda: None, post=post, seal=seal, cashier=cashier
    )
    asker = DirectAsker(answers)

    async def find(_: Request) -> Door:
        return Door(OFFICE, BASE, "Juniper Hill Dental", "", asker)

    async def plain(_: Request) -> Response:
        return FileResponse(file, media_type="application/pdf")

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/plain", plain), Route("/health", health), Mount(BASE, routes=routes(find))])
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False)
    await uvicorn.Server(config).serve()


def main() -> None:
    """Serve on uvloop, as HQ is."""
    work = serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    if sys.platform == "win32":
        asyncio.run(work)
        return
    import uvloop  # noqa: PLC0415 - there is none on Windows

    uvloop.run(work)


if __name__ == "__main__":
    main()
