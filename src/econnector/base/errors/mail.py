"""Failures of sending mail: the account, its server, the letter."""

from econnector.base.errors.catalogue import Failure

__all__ = [
    "MailDelayed",
    "MailFailure",
    "MailLoginRefused",
    "MailOauth",
    "MailPasswordUnreadable",
    "MailRefused",
    "MailUncertain",
    "MailUntrusted",
    "SenderMissing",
]


class MailFailure(Failure):
    """A mail was not sent, or nobody knows whether it was."""

    title = "We could not send the e-mail"
    patient = "We could not send the e-mail. The office can see this and fix it; what you entered is not lost."
    http = 503
    exit = 69
    check = "mail"


class MailDelayed(MailFailure):
    """The mail server could not take the mail now; `phase` says how far it got."""

    code = "mail-delayed"
    office = "The mail server {server} could not take a mail now ({phase}): {reason}. What is in the queue stays there and is tried again."
    remedy = (
        "If it is over soon, there is nothing to do: the queue tries again by itself, for days if need be.",
        "If it lasts: see that this machine reaches {server}, and that the server and port in Open Dental's e-mail setup are right: `econnector doctor --only mail`.",
    )
    exit = 75
    retry = True


class MailUncertain(MailDelayed):
    """The whole mail was handed over, and the answer was cut off."""

    code = "mail-uncertain"
    office = "The mail server {server} got a whole mail, and the connection ended before it answered: {reason}. It is sent again with the same Message-ID, so that a second copy can be recognised."
    remedy = (
        "Nothing: the queue sends it again.",
        "If it comes back often: an antivirus program or firewall on this machine or in the network cuts connections to mail servers.",
    )


class MailUntrusted(MailDelayed):
    """The connection to the mail server cannot be encrypted as set up, or its certificate cannot be trusted."""

    code = "mail-untrusted"
    office = "The connection to the mail server {server} cannot be trusted: {reason}. Nothing was sent, above all no password. What is in the queue waits there."
    remedy = (
        "Compare server, port and SSL in Open Dental's e-mail setup with what the provider says: 587 with SSL is STARTTLS, 465 is TLS from the start.",
        "If an antivirus program or firewall examines mail connections: exempt this machine, or give its certificate authority as `mail.ca` in the settings.",
    )


class MailRefused(MailFailure):
    """The mail server refuses this mail for good."""

    code = "mail-refused"
    office = "The mail server {server} refuses the mail ({phase}): {reason}."
    remedy = (
        "If it refuses the recipient: correct the address, then hand the mail in again.",
        "If it refuses the sender: see that the account in Open Dental's e-mail setup may send as its sender address.",
        "Then try again from the queue: `econnector office mail retry ID`.",
    )


class MailLoginRefused(MailRefused):
    """The mail server does not accept the account's user name and password."""

    code = "mail-login-refused"
    office = "The mail server {server} does not accept the account's user name and password: {reason}. What is in the queue waits there."
    remedy = (
        "Enter user name and password again in Open Dental's e-mail setup (Setup, Advanced Setup, E-mail).",
        "Many providers want an app password there instead of the one that people sign in with.",
        "Then wait, or try again at once: `econnector office mail retry`.",
    )


class SenderMissing(MailFailure):
    """The account in use has no sender address, or there is no account at all."""

    code = "sender-missing"
    today = "The parameter 'address' cannot be an empty string. Parameter name: address"
    office = "Mail cannot be sent, because {account} has no sender address: {reason}. (The parameter 'address' cannot be an empty string.) What is in the queue waits there; nothing is lost."
    remedy = (
        "In Open Dental: Setup, Advanced Setup, E-mail: fill in the account's user name or sender address.",
        "Choose it as the default there; with clinics, also in each clinic's own settings.",
    )


class MailOauth(MailFailure):
    """The account signs in at Google or Microsoft through the browser, which the connector cannot do."""

    code = "mail-oauth"
    office = "The e-mail account {account} signs in with {provider} (OAuth), which eConnector does not support. What is in the queue waits there."
    remedy = (
        "Use an account with user name and password; {provider} offers app passwords for programs.",
        "Or choose another account as the default in Open Dental's e-mail setup.",
    )


class MailPasswordUnreadable(MailFailure):
    """What stands as the account's password in the database is not in the form that Open Dental writes."""

    code = "mail-password-unreadable"
    office = "The password of the e-mail account {account} cannot be read from the database: it is not stored as Open Dental stores it. What is in the queue waits there."
    remedy = ("Enter the password again in Open Dental's e-mail setup and save it there.",)
