"""Failures of making a care summary: what it cannot do without is not recorded."""

from econnector.base.errors.office import OfficeFailure

__all__ = ["CareSummaryNotLoaded", "CareSummaryNotSetUp"]


class CareSummaryNotSetUp(OfficeFailure):
    """The chart, a provider or the practice lacks what every care summary must say."""

    code = "care-summary-not-set-up"
    title = "This care summary isn't set up yet"
    today = "Your provider has not set up this patient to view the Continuity of Care Documents"
    patient = (
        "Your dentist's office has to complete some details before a care summary can be made. "
        "Nothing is wrong with the record itself. Please call the office and ask them to complete the chart for the care summary."
    )
    office = "The care summary cannot be made. Missing: {what}"
    remedy = (
        "Enter in Open Dental what is named; after each item stands what to open.",
        "See who else is concerned: `econnector ccd check`, or the page Care summaries in the window.",
        "Nothing has to be restarted: the patient opens the care summary again.",
    )
    check = "summaries"
    http = 409


class CareSummaryNotLoaded(OfficeFailure):
    """A code table without which no care summary is made is empty."""

    code = "care-summary-not-loaded"
    title = "Care summaries aren't available yet"
    today = "Continuity of Care Document generation failed to load"
    patient = (
        "Your dentist's office has not yet loaded the lists that care summaries are made with. "
        "Please call the office and tell them that care summaries cannot be opened; they can put it right."
    )
    office = "No care summary can be made for anybody. Missing: {what}"
    remedy = (
        "Import both: Get ready for care summaries, on the window's page Code systems, or `econnector codes for-summaries`.",
        "Or in Open Dental: Setup, Chart, EHR, Code System Importer.",
        "`econnector codes status` shows how many codes are there; the patient then opens the care summary again.",
    )
    check = "summaries"
