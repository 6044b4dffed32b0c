"""Which file an event goes to: by the module that logs, so that a person looking for mail reads only about mail."""

__all__ = ["COMMANDS", "area_of", "folder_name"]

COMMANDS = "Commands"
_ESERVICES = "econnector.eservices."
_AREAS = (
    ("econnector.office.logsweep", "CleanupLogger"),
    ("econnector.office.mail", "Mail"),
    ("econnector.mail", "Mail"),
    ("econnector.office.window", "Window"),
    ("econnector.web", "Window"),
    ("econnector.office.heartbeat", "Heartbeat"),
    ("econnector.office.report", "Heartbeat"),
    ("econnector.office.practice", "Database"),
    ("econnector.storage", "Database"),
    ("econnector.opendental", "Database"),
    ("econnector.link", "Link"),
    ("econnector.office.standing", "Link"),
    ("econnector.office.awake", "Awake"),
    ("econnector.office.service", "Service"),
    ("econnector.office.install", "Service"),
    ("econnector.office.doctor", "Doctor"),
    ("econnector.cli", COMMANDS),
    ("econnector.hq", "HQ"),
    ("econnector", "Connector"),
)
_FORBIDDEN = str.maketrans(dict.fromkeys(':?/\\!*%.,<>|"', "-"))


def area_of(logger: str) -> str:
    """Return the area of a logger's events: `Link`, `Mail`, an eService's name such as `Portal`, else `Other`."""
    if logger.startswith(_ESERVICES):
        return logger.removeprefix(_ESERVICES).partition(".")[0].capitalize()
    found = (area for prefix, area in _AREAS if logger == prefix or logger.startswith(prefix + "."))
    return next(found, "Other")


def folder_name(area: str) -> str:
    """Return the area's folder: what file systems do not take becomes `-`, as in Open Dental's own log folders."""
    return area.translate(_FORBIDDEN).strip() or "Other"
