"""Checks of the connector's standing with HQ, by what it last said about itself in its state file."""

from econnector.base.errors import (
    Failure,
    KeyInactive,
    KeyUnknown,
    NeverConnected,
    OfficeUnreachable,
    OwnedElsewhere,
    UnknownCall,
    VersionTooOld,
)
from econnector.base.version import version
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok, unknown
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.running import Running, local
from econnector.office.standing import OFFICE
from econnector.storage.state import failures, meta

__all__ = ["CHECKS"]


async def _link(scene: Scene) -> Finding:
    running = await scene.running()
    if not running.alive(scene.clock.now()):
        since = local(running.stopped or running.written) or "it was installed"
        finding = from_failure(OfficeUnreachable(last_seen=since), "the connector does not run on this machine")
        finding.text = f"the connector has not run on this machine since {since}: patients cannot use anything of it"
        finding.remedy = [
            "Start its service: `econnector service list` names it, `econnector service start` and the name starts it.",
            "Where it is no service: `econnector office run`.",
        ]
        return finding
    if running.link == "open":
        return ok(f"linked to {running.hq} as {running.office} since {local(running.link_since)}")
    if running.link_trouble is None:
        return unknown("the connector is just starting")
    return from_failure(running.link_trouble.failure(), f"since {local(running.link_since)}")


async def _enrolment(scene: Scene) -> Finding:
    running = await scene.running()
    office = await scene.read_state(meta.read, OFFICE) if scene.ran_here() else ""
    if isinstance(_trouble(running), KeyUnknown | NeverConnected):
        return from_failure(_refused(running))
    if not office:
        return from_failure(NeverConnected(), "this machine was not enrolled yet")
    return ok(f"enrolled as {office}")


async def _key(scene: Scene) -> Finding:
    running = await scene.running()
    trouble = _trouble(running)
    if isinstance(trouble, KeyInactive):
        return from_failure(trouble)
    if running.standing in {"disabled", "ended"}:
        reason = "the key was disabled" if running.standing == "disabled" else "support ended"
        return from_failure(KeyInactive(reason=reason, since=local(running.heard)))
    if running.standing:
        return ok(f"HQ said at {local(running.heard)} that the registration key is active")
    raise NotNowError("HQ has not said anything about the registration key yet")


async def _owner(scene: Scene) -> Finding:
    running = await scene.running()
    trouble = _trouble(running)
    if isinstance(trouble, OwnedElsewhere):
        return from_failure(trouble)
    if running.others:
        others = ", ".join(running.others)
        return attention(
            f"this machine is the office's connector, and HQ has also heard from {others}",
            ["Uninstall eConnector on the other machine.", "Or ask HQ to move the office to it."],
        )
    if running.link == "open":
        return ok("this machine is the office's only connector")
    raise NotNowError("there is no link to HQ (see link)")


async def _versions(scene: Scene) -> Finding:
    running = await scene.running()
    trouble = _trouble(running)
    if isinstance(trouble, VersionTooOld):
        return from_failure(trouble)
    met = await scene.read_state(failures.latest, 200)
    unknown_call = next(
        (each for each in met if each.code == UnknownCall.code and each.facts.get("version") == version()), None
    )
    if unknown_call is not None:
        return from_failure(UnknownCall(reference=unknown_call.reference, **unknown_call.facts))
    said = f"connector {version()}, database {running.database_version or '?'}, HQ {running.hq_version or '?'}"
    if running.alive(scene.clock.now()) and running.version != version():
        return attention(f"{said}; the connector that runs is still {running.version}", ["Restart the connector."])
    if not running.hq_version:
        raise NotNowError(f"HQ has not said its version yet ({said})")
    return ok(said)


def _trouble(running: Running) -> Failure | None:
    found = running.link_trouble or running.report_trouble
    return found.failure() if found else None


def _refused(running: Running) -> Failure:
    return _trouble(running) or NeverConnected()


CHECKS = (
    Check("link", "link", "The connector runs and has a link to HQ.", 5, _link),
    Check("enrolment", "link", "This machine is enrolled at HQ.", 5, _enrolment),
    Check("registration-key", "link", "The office's registration key is active.", 5, _key),
    Check("owner", "link", "No other machine is this office's connector.", 5, _owner),
    Check("versions", "link", "Connector, HQ and database understand each other.", 5, _versions),
)
