"""Failures of the machine that the connector runs on: it slept, it cannot keep a log."""

from econnector.base.errors.office import OfficeFailure

__all__ = ["LogUnwritable", "MachineSlept"]


class MachineSlept(OfficeFailure):
    """The machine was asleep, so that nobody reached the practice."""

    code = "machine-slept"
    title = "Your dentist's computer was asleep"
    today = "Internal server error. Please notify the dental office to call support or try again later"
    patient = "Your dentist's computer was asleep for a while. Please try again; nothing you entered is lost."
    office = "This computer {what} from {began} to {ended}; patients could not reach the practice meanwhile."
    remedy = (
        "Run `econnector doctor --only sleep`: it says which power setting lets this computer sleep, and how to change it.",
        "Leave the setting `awake.keep` on: then the connector keeps the computer awake while it runs.",
        "On a laptop: leave the lid open and the charger connected. On a virtual machine: let its host stay awake.",
    )
    check = "sleep"
    retry = True


class LogUnwritable(OfficeFailure):
    """No log can be written, so that nobody will find out what happened."""

    code = "log-folder"
    title = "The log cannot be written"
    patient = "Your dentist's computer is being looked after. Please try again in some minutes."
    office = "The log cannot be written to {path}: {reason}."
    remedy = (
        "Give the account {account} the right to write into {path}, or name another folder in the setting `log.folder`.",
        "See that the disk is not full.",
    )
    check = "logs"
