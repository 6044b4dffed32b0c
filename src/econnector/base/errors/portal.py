"""Failures of giving patients access to the portal."""

from econnector.base.errors.access import AccessFailure
from econnector.base.errors.typed import InputFailure

__all__ = ["AccessAsItWas", "PatientIncomplete", "PatientMailMissing", "PortalAddressMissing", "PreviewOnly"]


class PortalAddressMissing(InputFailure):
    """Nobody could be told where the portal is."""

    code = "portal-address-missing"
    title = "The portal has no address yet"
    patient = "Your dentist's portal is still being set up."
    office = "No access is given while Open Dental's Patient Facing URL of the portal is blank: patients would not know where to sign in."
    remedy = (
        "In Open Dental open eServices Setup, Patient Portal, and enter the portal's address as Patient Facing URL. It begins with https.",
        "HQ names the address of this office's portal; `econnector office status` shows it.",
        "Then give access again.",
    )
    http = 409


class PatientIncomplete(InputFailure):
    """The chart lacks what Open Dental asks for before it gives access."""

    code = "patient-incomplete"
    title = "The chart is not complete"
    patient = "The office needs some more of your data first."
    office = "No access is given before the chart is complete: {missing}"
    remedy = ("Complete the patient's chart in Open Dental (Family, Patient Information).", "Then give access again.")


class PatientMailMissing(InputFailure):
    """There is no address that an invite could be mailed to."""

    code = "patient-mail-missing"
    title = "The chart has no usable e-mail address"
    patient = "The office needs an e-mail address of you first."
    office = "No invite can be sent: the first e-mail address in the chart is blank or is no mail address."
    remedy = (
        "Enter the patient's address in Open Dental (Family, Patient Information, E-mail), then send the invite again.",
        "Or hand the sign-in over on paper: give access or a new password, and print the sheet.",
    )
    http = 409


class AccessAsItWas(InputFailure):
    """What was asked for does not fit what is there now."""

    code = "access-as-it-was"
    title = "Nothing was changed"
    patient = "Nothing was changed."
    office = "{why}"
    remedy = ("Look at the patient again; somebody may have changed the access meanwhile.",)
    http = 409


class PreviewOnly(AccessFailure):
    """Somebody of the office looks at the portal as a patient, and tried to change something."""

    code = "preview-only"
    title = "This is a preview"
    patient = "The office is looking at this page. Nothing was changed."
    office = (
        "In a preview of the portal nothing can be changed or sent: that is the patient's to do. Nothing was changed."
    )
    remedy = ("Go back to the page before, or end the preview.",)
