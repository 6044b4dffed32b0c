"""Finding what is wrong on this machine, and saying what to do: one check per thing that can break."""

from econnector.office.doctor import (
    codes,
    database,
    images,
    link,
    local,
    machine,
    mail,
    network,
    others,
    payments,
    portal,
    service,
    storage,
    summaries,
)
from econnector.office.doctor.check import Check

__all__ = ["CHECKS", "WITHOUT_CHECK"]

CHECKS: tuple[Check, ...] = (
    *local.CHECKS,
    *machine.CHECKS,
    *storage.CHECKS,
    *service.CHECKS,
    *database.CHECKS,
    *images.CHECKS,
    *network.CHECKS,
    *link.CHECKS,
    *others.CHECKS,
    *mail.CHECKS,
    *portal.CHECKS,
    *payments.CHECKS,
    *summaries.CHECKS,
    *codes.CHECKS,
)
"""Every check, in the order in which findings are shown."""

WITHOUT_CHECK = {
    "AccessFailure": "it depends on who asks, not on this machine",
    "InputFailure": "it depends on what is typed, not on this machine",
    "VendorFailure": "it is HQ's, and no check in an office can see it",
    "UnknownAddress": "the address is in somebody's browser",
    "PortTaken": "it is known only to the program that wants the port, and it says so at once",
    "Unexpected": "nobody has thought of it yet; its reference finds it in the log",
    "AnswerUncertain": "it is one call's fate; the check `link` finds what breaks many",
}
"""Why a failure, or a family of them, has no check."""
