"""Failures of importing code systems."""

from econnector.base.errors.typed import InputFailure

__all__ = [
    "CodeAddressRefused",
    "CodeAddressSilent",
    "CodeAddressUnusable",
    "CodeChecksumDiffers",
    "CodeDiskFull",
    "CodeFileNeeded",
    "CodeFileUnreadable",
    "CodeImportIdle",
    "CodeImportRuns",
    "CodeNotAFile",
    "CodePackageBroken",
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
        "Import it: `econnector codes import {name} --file FILE` (or `--url ADDRESS`), or choose it on the window's page Code systems.",
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
    remedy = ("Wait until it is done (`econnector codes status`), or cancel it: `econnector codes cancel {name}`.",)
    http = 409
    retry = True


class CodeImportIdle(CodesFailure):
    """There is no import to cancel."""

    code = "code-import-idle"
    title = "Nothing to cancel"
    office = "{name} is not being imported on this machine."
    remedy = ("See how the last imports went: `econnector codes status`.",)
    http = 409


class CodeAddressUnusable(CodesFailure):
    """An address that nothing is downloaded from."""

    code = "code-address"
    title = "This address cannot be used"
    office = "Nothing is downloaded from {address}: {reason}."
    remedy = (
        "Copy the file's own address from where it is published: it begins with https://.",
        "Or download the file with a browser and import it with `--file`.",
    )


class CodeAddressSilent(CodesFailure):
    """The server that has the file cannot be reached, or broke off."""

    code = "code-address-silent"
    title = "The file cannot be downloaded now"
    office = "{address} cannot be reached: {reason}."
    remedy = (
        "See that this computer reaches the internet, through the proxy that `hq.proxy` names if there is one.",
        "Import again: the download goes on where it stopped.",
        "Or download the file with a browser and import it with `--file`.",
    )
    http = 502
    retry = True


class CodeAddressRefused(CodesFailure):
    """The server answers and does not give the file."""

    code = "code-address-refused"
    title = "The server does not give the file"
    office = "{address} answers with status {status}: {reason}."
    remedy = (
        "Compare the address with the one where the file is published.",
        "Where the publisher wants a sign-in, download the file with a browser and import it with `--file`.",
    )


class CodeNotAFile(CodesFailure):
    """What was sent is not what a file of codes can be."""

    code = "code-not-a-file"
    title = "This is not a file of codes"
    office = "{address} does not send a file of codes: {reason}."
    remedy = (
        "Open the address in a browser: is it the file itself, or a page that asks for a sign-in first?",
        "Download the file there and import it with `--file`.",
    )


class CodeDiskFull(CodesFailure):
    """There is no room for the file."""

    code = "code-disk-full"
    title = "The disk is full"
    office = "The file does not fit into {folder}: {needed} are needed and {free} are free."
    remedy = ("Make room on that disk.", "Import again: the download goes on where it stopped.")
    http = 507


class CodePackageBroken(CodesFailure):
    """A package on this machine that holds the codes does not give them."""

    code = "code-package"
    title = "The package does not give its codes"
    office = "The package {package} cannot be used: {reason}."
    remedy = (
        "Install it anew: `pip install --force-reinstall {package}`.",
        "Or import {name} from a file: `econnector codes import {name} --file FILE`.",
    )


class CodesMiddleTier(CodesFailure):
    """Open Dental on this machine reaches its database through a middle tier only."""

    code = "codes-middle-tier"
    title = "Not through a middle tier"
    office = "Open Dental on this computer uses the middle tier ({file}); code systems are imported where the database can be reached itself."
    remedy = ("Import on the database server, or on a computer that connects to the database directly.",)
