"""Failures around an office's reports to HQ and the people who are told about it."""

from econnector.base.errors.vendor import VendorFailure

__all__ = ["HqSendsNoMail", "ReportsTooOften"]


class ReportsTooOften(VendorFailure):
    """A connector reports to HQ far more often than any that works as it should."""

    code = "reports-too-often"
    office = "HQ refused a report of the office {office}: they come many times a second, where one a minute is usual."
    remedy = (
        "If the connector runs in two places with one copied state file: stop one of them.",
        "Update eConnector on the office's machine, then restart it.",
    )
    http = 429
    retry = True


class HqSendsNoMail(VendorFailure):
    """A command wants HQ to send mail, and HQ has no mail server."""

    code = "hq-sends-no-mail"
    office = (
        "HQ has no mail server, so it tells nobody that an office is unreachable. Contacts are kept until it has one."
    )
    remedy = (
        "Set `smtp.host` and `smtp.sender` in HQ's settings (`port`, `security`, `user` and `password_file` as the mail server wants them).",
        "Try it: `econnector hq mail test --to you@example.com`.",
    )
    exit = 78
