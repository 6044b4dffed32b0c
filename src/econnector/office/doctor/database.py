"""Checks of Open Dental's database: reach, log-in, rights, speed, versions, clock."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import Any, TypeVar

from econnector.base.errors import ClockDrift, DatabaseAway, DatabaseBusy, DatabaseRefused, Failure, VersionsDiffer
from econnector.base.version import version
from econnector.office.clocks import MOST_SECONDS, apart
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok, problem, unknown
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.opendental import times
from econnector.opendental.schema import inspect, lacking
from econnector.storage.server import ping, server_facts

__all__ = ["CHECKS"]

R = TypeVar("R")

PINGS = 5
SLOW_SECONDS = 0.1
LEAST_CONNECTIONS = 5
"""The connector keeps a few open, and everybody's Open Dental wants some."""
FULL_SHARE = 0.8
_MORE_CONNECTIONS = [
    "See which program holds so many: `SHOW PROCESSLIST` on the server; restart the one that lets none go.",
    "Raise `max_connections` in the server's my.ini or my.cnf, and restart the server when nobody works.",
]
_LOCAL = {"localhost", "127.0.0.1", "[::1]"}


async def _database(scene: Scene) -> Finding:
    database, place = scene.database(), scene.place
    facts = await database.run(server_facts)
    said = f"{facts.version} on {place.server} lets {place.user or 'us'} into {place.name}"
    lines = [f"TLS: {facts.cipher or 'none'}"] if database.dialect == "mysql" else []
    if facts.most_connections:
        lines.append(f"connections: {facts.connections} of {facts.most_connections}")
    if facts.lacking:
        rights = ", ".join(facts.lacking)
        return from_failure(
            DatabaseRefused(
                server=place.server, user=place.user, database=place.name, reason=f"the account lacks {rights}"
            ),
            *lines,
        )
    if facts.lacking is None:
        return attention(
            f"{said}; whether it may write cannot be told from its grants",
            [f"Grant SELECT, INSERT, UPDATE and DELETE on {place.name}.* to {place.user}."],
            *lines,
        )
    host = place.server.rpartition(":")[0]
    if database.dialect == "mysql" and not facts.cipher and host not in _LOCAL:
        return attention(
            f"{said}, without encryption on the way",
            ["Give the server a certificate and set `database.ca` to its authority's PEM file."],
            *lines,
        )
    return ok(said, *lines)


async def _connections(scene: Scene) -> Finding:
    facts = await _reached(scene, server_facts)
    if not facts.most_connections:
        return ok("the database is a file: connections are not counted")
    said = f"{facts.connections} of {facts.most_connections} connections are in use"
    left = facts.most_connections - facts.connections
    if left < LEAST_CONNECTIONS:
        return problem(f"the database server has hardly a connection left: {said}", _MORE_CONNECTIONS)
    if facts.connections > FULL_SHARE * facts.most_connections:
        return attention(f"the database server is running out of connections: {said}", _MORE_CONNECTIONS)
    return ok(said)


async def _latency(scene: Scene) -> Finding:
    database = scene.database()
    try:
        await database.run(ping)
    except (DatabaseAway, DatabaseRefused):
        raise NotNowError("the database cannot be reached (see database)") from None
    took = []
    for _ in range(PINGS):
        began = time.monotonic()
        await database.run(ping)
        took.append(time.monotonic() - began)
    typical = sorted(took)[PINGS // 2]
    said = f"a question takes {typical * 1000:.1f} ms"
    if typical > SLOW_SECONDS:
        return attention(said, DatabaseBusy.remedy[:1])
    return ok(said)


async def _schema(scene: Scene) -> Finding:
    schema = await _reached(scene, inspect)
    if missing := lacking(schema):
        differ = VersionsDiffer(version=schema.version, connector=version(), missing=", ".join(missing))
        return from_failure(differ, "only what needs it fails: everything else works")
    keys = ", random primary keys" if schema.random_keys else ""
    return ok(
        f"database version {schema.version}, program version {schema.program_version}{keys}: all columns are there"
    )


async def _clock(scene: Scene) -> Finding:
    drifts: list[Failure] = []
    try:
        theirs = f"the database says {await _database_drift(scene, drifts):%H:%M:%S}"
    except NotNowError as error:
        theirs = f"the database's clock is unknown: {error}"
    ours = f"this machine says {scene.clock.now().astimezone():%H:%M:%S}"
    hq = await _hq_drift(scene, drifts)
    if drifts:
        return from_failure(drifts[0], ours, theirs, hq)
    if "unknown" in theirs:
        return unknown(f"{ours}, {theirs}, {hq}")
    return ok(f"{ours}, {theirs}, {hq}")


async def _database_drift(scene: Scene, drifts: list[Failure]) -> dt.datetime:
    theirs = await _reached(scene, times.now)
    ours = scene.clock.now().astimezone().replace(tzinfo=None)
    if abs(apart(ours, theirs)) > MOST_SECONDS:
        drifts.append(ClockDrift(ours=f"{ours:%Y-%m-%d %H:%M:%S}", theirs=f"{theirs:%Y-%m-%d %H:%M:%S}"))
    return theirs


async def _hq_drift(scene: Scene, drifts: list[Failure]) -> str:
    try:
        async with asyncio.timeout(6):
            way = await scene.way()
    except (NotNowError, TimeoutError):
        return "HQ's clock is unknown"
    if way.hq_clock is None or way.our_clock is None:
        return "HQ's clock is unknown"
    if abs(apart(way.our_clock, way.hq_clock)) > MOST_SECONDS:
        ours, theirs = f"{way.our_clock:%Y-%m-%d %H:%M:%S} UTC", f"{way.hq_clock:%Y-%m-%d %H:%M:%S} UTC (HQ)"
        drifts.append(ClockDrift(ours=ours, theirs=theirs))
    return f"HQ says {way.hq_clock.astimezone():%H:%M:%S}"


async def _reached(scene: Scene, f: Callable[[Any], R]) -> R:
    """Run `f` on the database; where that cannot be reached, another check says why."""
    try:
        return await scene.database().run(f)
    except (DatabaseAway, DatabaseRefused):
        raise NotNowError("the database cannot be reached (see database)") from None
    except DatabaseBusy:
        raise NotNowError("the database does not answer in time (see database-latency)") from None


CHECKS = (
    Check("database", "database", "The database server answers, lets us in, and lets us read and write.", 8, _database),
    Check("connections", "database", "The database server has connections to spare.", 9, _connections),
    Check("database-latency", "database", "The database answers quickly.", 9, _latency),
    Check("schema", "database", "The database has every table and column that this connector needs.", 9, _schema),
    Check("clock", "database", "This machine's clock agrees with the database's and HQ's.", 9, _clock),
)
