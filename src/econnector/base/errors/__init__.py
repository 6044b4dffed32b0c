"""The catalogue of failures: every one that a person can meet, with cause, words and remedy.

The tree::

    Failure
      LinkFailure     reach.py    an office or HQ cannot be asked, or the answer was lost
      AccessFailure   access.py   this person may not do this
                      security.py codes, the second step, passkeys
                      visits.py   or not any more: the visit was moved
      OfficeFailure   office.py   something in the office is missing or broken
                      machine.py  it slept, or cannot keep a log
                summary.py  what a care summary cannot do without is not recorded
      MailFailure     mail.py     a mail was not sent, or nobody knows whether it was
      InputFailure    typed.py    what was typed or sent cannot be used
                      messages.py what patients write and send to the office
                      portal.py   giving patients access to the portal
                      codes.py    importing code systems
      ServiceFailure  service.py  this machine's services
      SetupFailure    setup.py    a command or a service cannot start
                      install.py  it cannot be installed or updated here
      VendorFailure   vendor.py   HQ itself, and what is asked of it
      Unexpected      catalogue.py
"""

from econnector.base.errors.access import (
    AccessFailure,
    ChangeRequired,
    LoginFailed,
    NotAllowed,
    PageOff,
    SessionEnded,
    TooManyTries,
)
from econnector.base.errors.catalogue import CATALOGUE, Failure, Unexpected, failure_from, walk
from econnector.base.errors.codes import (
    CodeChecksumDiffers,
    CodeFileNeeded,
    CodeFileUnreadable,
    CodeImportRuns,
    CodesFailure,
    CodesMiddleTier,
    CodeSystemUnknown,
    CodeTermsOpen,
)
from econnector.base.errors.install import (
    ConnectorElsewhere,
    HeartbeatMissing,
    InstallCloud,
    InstallDeclined,
    InstallFailure,
    InstallMiddleTier,
    InstallRights,
    QuestionUnanswered,
    UpdateNeedsMore,
    UpdateRolledBack,
    UpdateServerElsewhere,
    UpdateTurn,
    WheelRejected,
)
from econnector.base.errors.machine import LogUnwritable, MachineSlept
from econnector.base.errors.mail import (
    MailDelayed,
    MailFailure,
    MailLoginRefused,
    MailOauth,
    MailPasswordUnreadable,
    MailRefused,
    MailUncertain,
    MailUntrusted,
    SenderMissing,
)
from econnector.base.errors.messages import AttachmentRejected, MessageRejected
from econnector.base.errors.office import (
    ClockDrift,
    DatabaseAway,
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseRefused,
    FileMissing,
    OfficeFailure,
    UpdateRunning,
    VersionsDiffer,
)
from econnector.base.errors.portal import (
    AccessAsItWas,
    PatientIncomplete,
    PatientMailMissing,
    PortalAddressMissing,
    PreviewOnly,
)
from econnector.base.errors.reach import (
    AnswerLost,
    AnswerUncertain,
    HqAway,
    HqNamedOtherwise,
    HqUntrusted,
    KeyInactive,
    LinkFailure,
    NeverConnected,
    OfficeBusy,
    OfficeTooSlow,
    OfficeUnreachable,
    ProtocolBroken,
    UnknownAddress,
    UnknownCall,
    VersionTooOld,
)
from econnector.base.errors.security import (
    CodeRejected,
    InviteRejected,
    PasskeyRejected,
    SecondStepRejected,
    TwoStepRequired,
)
from econnector.base.errors.service import (
    AccountUnknown,
    ServiceDatabaseTaken,
    ServiceExists,
    ServiceFailure,
    ServiceManagerFailed,
    ServiceMissing,
    ServiceNameRejected,
    ServiceNotStarted,
    ServiceNotStopped,
    ServiceNotTheirs,
    ServiceRights,
    SettingsFileMissing,
)
from econnector.base.errors.setup import (
    KeyUnknown,
    OwnedElsewhere,
    PortTaken,
    SettingInvalid,
    SettingMissing,
    SetupFailure,
    StateLocked,
    StateNewer,
    TooManyKeys,
    UnsealFailed,
)
from econnector.base.errors.summary import CareSummaryNotLoaded, CareSummaryNotSetUp
from econnector.base.errors.typed import (
    FormExpired,
    InputFailure,
    PageMissing,
    PasswordRejected,
    RequestTooLarge,
    UserNameRejected,
    ValueRejected,
)
from econnector.base.errors.vendor import (
    NameTaken,
    OfficeUnknown,
    RegistryAway,
    RegistryOutdated,
    SwitchboardAway,
    VendorFailure,
)
from econnector.base.errors.visits import VisitChanged
from econnector.base.errors.watch import HqSendsNoMail, ReportsTooOften
from econnector.base.errors.window import (
    HostForeign,
    PasswordDue,
    PermissionMissing,
    ServiceElsewhere,
    SignInFailed,
    SignInSlowed,
)

__all__ = [
    "CATALOGUE",
    "AccessAsItWas",
    "AccessFailure",
    "AccountUnknown",
    "AnswerLost",
    "AnswerUncertain",
    "AttachmentRejected",
    "CareSummaryNotLoaded",
    "CareSummaryNotSetUp",
    "ChangeRequired",
    "ClockDrift",
    "CodeChecksumDiffers",
    "CodeFileNeeded",
    "CodeFileUnreadable",
    "CodeImportRuns",
    "CodeRejected",
    "CodeSystemUnknown",
    "CodeTermsOpen",
    "CodesFailure",
    "CodesMiddleTier",
    "ConnectorElsewhere",
    "DatabaseAway",
    "DatabaseBusy",
    "DatabaseDamaged",
    "DatabaseRefused",
    "Failure",
    "FileMissing",
    "FormExpired",
    "HeartbeatMissing",
    "HostForeign",
    "HqAway",
    "HqNamedOtherwise",
    "HqSendsNoMail",
    "HqUntrusted",
    "InputFailure",
    "InstallCloud",
    "InstallDeclined",
    "InstallFailure",
    "InstallMiddleTier",
    "InstallRights",
    "InviteRejected",
    "KeyInactive",
    "KeyUnknown",
    "LinkFailure",
    "LogUnwritable",
    "LoginFailed",
    "MachineSlept",
    "MailDelayed",
    "MailFailure",
    "MailLoginRefused",
    "MailOauth",
    "MailPasswordUnreadable",
    "MailRefused",
    "MailUncertain",
    "MailUntrusted",
    "MessageRejected",
    "NameTaken",
    "NeverConnected",
    "NotAllowed",
    "OfficeBusy",
    "OfficeFailure",
    "OfficeTooSlow",
    "OfficeUnknown",
    "OfficeUnreachable",
    "OwnedElsewhere",
    "PageMissing",
    "PageOff",
    "PasskeyRejected",
    "PasswordDue",
    "PasswordRejected",
    "PatientIncomplete",
    "PatientMailMissing",
    "PermissionMissing",
    "PortTaken",
    "PortalAddressMissing",
    "PreviewOnly",
    "ProtocolBroken",
    "QuestionUnanswered",
    "RegistryAway",
    "RegistryOutdated",
    "ReportsTooOften",
    "RequestTooLarge",
    "SecondStepRejected",
    "SenderMissing",
    "ServiceDatabaseTaken",
    "ServiceElsewhere",
    "ServiceExists",
    "ServiceFailure",
    "ServiceManagerFailed",
    "ServiceMissing",
    "ServiceNameRejected",
    "ServiceNotStarted",
    "ServiceNotStopped",
    "ServiceNotTheirs",
    "ServiceRights",
    "SessionEnded",
    "SettingInvalid",
    "SettingMissing",
    "SettingsFileMissing",
    "SetupFailure",
    "SignInFailed",
    "SignInSlowed",
    "StateLocked",
    "StateNewer",
    "SwitchboardAway",
    "TooManyKeys",
    "TooManyTries",
    "TwoStepRequired",
    "Unexpected",
    "UnknownAddress",
    "UnknownCall",
    "UnsealFailed",
    "UpdateNeedsMore",
    "UpdateRolledBack",
    "UpdateRunning",
    "UpdateServerElsewhere",
    "UpdateTurn",
    "UserNameRejected",
    "ValueRejected",
    "VendorFailure",
    "VersionTooOld",
    "VersionsDiffer",
    "VisitChanged",
    "WheelRejected",
    "failure_from",
    "walk",
]
