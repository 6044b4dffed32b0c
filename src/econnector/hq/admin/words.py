"""The words of a fleet: each status and each of Open Dental's, and which of the kit's four states it is."""

from econnector.hq.registry.fleet import Status

__all__ = ["CEMT_STATES", "FINDINGS", "SIGNS", "WORDS"]

WORDS: dict[Status, str] = {
    "down": "Down",
    "trouble": "Cannot serve",
    "standby": "Standby waits",
    "never": "Never connected",
    "ended": "Support ended",
    "disabled": "Disabled",
    "working": "Working",
}
SIGNS: dict[Status, str] = {
    "down": "problem",
    "trouble": "problem",
    "standby": "problem",
    "never": "unknown",
    "ended": "attention",
    "disabled": "attention",
    "working": "ok",
}
CEMT_STATES = {"Working": "ok", "Error": "attention", "Critical": "problem"}
"""None and NotEnabled have no colour there either."""
FINDINGS = {"ok": "in order", "attention": "look at it", "problem": "broken", "unknown": "not known"}
"""The states of a doctor's finding."""
