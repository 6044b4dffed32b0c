"""Failures of importing code systems."""

from econnector.base.errors.typed import InputFailure

__all__ = [
    "CodeChecksumDiffers",
    "CodeFileNeeded",
    "CodeFileUnreadable",
    "CodeImportRuns",
    "CodeSystemUnknown",
    "CodeTermsOpen",
    "CodesFailure",
    "CodesMiddleTier",
]


class CodesFailure(InputFailure):
    """A code system cannot be imported as it was asked."""

    patient = "The office is bringing its lists of codes up to date. Nothing of yours was changed."


class CodeSystemUnknown(CodesFailure):
    """There is no such code system, or nothing of it can be imported."""

    code = "code-system-unknown"
    title = "No such code system"
    office = "{name} cannot be imported: {reason}."
    remedy = ("Choose one of {names}.",)


class CodeFileNeeded(CodesFailure):
    """Nothing of this system comes with eConnector, and no file was named."""

    code = "code-file-needed"
    title = "A file is needed"
    office = "The content of {name} may not be shipped with eConnector, so it is imported from a file of yours."
    remedy = (
        "Get the file from where your licence for {name} lets you: {where}.",
        "Import it: `econnector codes import {name} --file FILE`, or choose the file on the window's page Code systems.",
    )


class CodeFileUnreadable(CodesFailure):
    """The file cannot be read, or is not what it should be."""

    code = "code-file-unreadable"
    title = "The file cannot be read"
    office = "{file} cannot be imported: {reason}."
    remedy = (
        "Check the path, and that the account that eConnector runs as may read the file.",
        "Get the file anew: it must be a text with tabs between its columns, or a zip with one such text.",
        "Import it again: what was imported so far stays, and nothing is there twice.",
    )


class CodeChecksumDiffers(CodesFailure):
    """The file is not the one that was published."""

    code = "code-checksum"
    title = "The file was changed or damaged"
    office = "{file} has the checksum {found}, and {expected} was expected."
    remedy = ("Get the file anew, and compare the checksum with the one where it is published.",)


class CodeTermsOpen(CodesFailure):
    """Somebody must accept the terms of whoever publishes the codes."""

    code = "code-terms"
    title = "The terms must be accepted first"
    office = "{name} may be used under the terms of {publisher}; nobody has accepted them for this practice yet."
    remedy = (
        "Read them: `econnector codes terms {name}`.",
        "Import with `--accept-terms`, or accept them on the window's page Code systems.",
    )


class CodeImportRuns(CodesFailure):
    """The system is being imported by another process."""

    code = "code-import-runs"
    title = "It is being imported already"
    office = "{name} is being imported by another process on this machine."
    remedy = ("Wait until it is done (`econnector codes status`), or cancel it there.",)
    http = 409
    retry = True


class CodesMiddleTier(CodesFailure):
    """Open Dental on this machine reaches its database through a middle tier only."""

    code = "codes-middle-tier"
    title = "Not through a middle tier"
    office = "Open Dental on this computer uses the middle tier ({file}); code systems are imported where the database can be reached itself."
    remedy = ("Import on the database server, or on a computer that connects to the database directly.",)
