"""Log-ins of patients and staff, what staff may do, and the invitations to log in."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    big,
    date,
    datetime,
    gone,
    grown,
    integer,
    key,
    later,
    small,
    table,
    text,
    tiny,
    utiny,
    varchar,
)

userweb = table(
    "userweb",
    key("UserWebNum"),
    big("FKey"),
    tiny("FKeyType"),  # enum UserWebFKeyType
    varchar("UserName", 255),
    varchar("Password", 255),
    varchar("PasswordResetCode", 255),
    tiny("RequireUserNameChange"),
    datetime("DateTimeLastLogin", MIN_TIME),
    tiny("RequirePasswordChange"),
    keys="FKey",
)

loginattempt = table(
    "loginattempt",
    key("LoginAttemptNum"),
    varchar("UserName", 255),
    tiny("LoginType"),  # enum UserWebFKeyType
    datetime("DateTFail", MIN_TIME),
    keys="UserName",
)

sessiontoken = table(
    "sessiontoken",
    key("SessionTokenNum"),
    varchar("SessionTokenHash", 255),
    datetime("Expiration", MIN_TIME),
    tiny("TokenType"),  # enum SessionTokenType
    big("FKey"),
    keys="FKey; SessionTokenHash; Expiration",
)

patientportalinvite = table(
    "patientportalinvite",
    key("PatientPortalInviteNum"),
    big("PatNum"),  # patient.PatNum
    gone("22.2.1", big("AptNum")),
    big("ClinicNum"),  # clinic.ClinicNum
    datetime("DateTimeEntry", MIN_TIME),
    big("TSPrior"),
    gone("22.2.1", tiny("EmailSendStatus")),
    gone("22.2.1", big("EmailMessageNum")),
    gone("22.2.1", text("TemplateEmail")),
    gone("22.2.1", varchar("TemplateEmailSubj", 255)),
    gone("22.2.1", text("Note")),
    later("22.2.1", big("ApptNum")),
    later("22.2.1", tiny("SendStatus")),  # enum AutoCommStatus
    later("22.2.1", big("MessageFk")),
    later("22.2.1", text("ResponseDescript")),
    later("22.2.1", tiny("MessageType")),  # enum CommType
    later("22.2.1", datetime("DateTimeSent", MIN_TIME)),
    later("22.2.1", big("ApptReminderRuleNum")),  # apptreminderrule.ApptReminderRuleNum
    later("22.2.1", datetime("ApptDateTime", MIN_TIME)),
    keys="PatNum; AptNum; ClinicNum; EmailMessageNum; MessageFk; ApptReminderRuleNum",
)

apptreminderrule = table(
    "apptreminderrule",
    key("ApptReminderRuleNum"),
    tiny("TypeCur"),  # enum ApptReminderType
    big("TSPrior"),
    varchar("SendOrder", 255),
    tiny("IsSendAll"),
    text("TemplateSMS"),
    text("TemplateEmailSubject"),
    text("TemplateEmail"),
    big("ClinicNum"),  # clinic.ClinicNum
    text("TemplateSMSAggShared"),
    text("TemplateSMSAggPerAppt"),
    text("TemplateEmailSubjAggShared"),
    text("TemplateEmailAggShared"),
    text("TemplateEmailAggPerAppt"),
    big("DoNotSendWithin"),
    tiny("IsEnabled"),
    text("TemplateAutoReply"),
    text("TemplateAutoReplyAgg"),
    tiny("IsAutoReplyEnabled"),
    varchar("Language", 255),
    text("TemplateComeInMessage"),
    varchar("EmailTemplateType", 255),
    varchar("AggEmailTemplateType", 255),  # enum* EmailType
    tiny("IsSendForMinorsBirthday"),
    big("EmailHostingTemplateNum"),  # emailhostingtemplate.EmailHostingTemplateNum
    integer("MinorAge"),
    text("TemplateFailureAutoReply"),
    later("21.3.1", tiny("SendMultipleInvites")),  # enum SendMultipleInvites
    later("21.3.1", big("TimeSpanMultipleInvites")),
    keys="TSPrior; ClinicNum; EmailHostingTemplateNum",
)

userod = table(
    "userod",
    key("UserNum"),
    varchar("UserName", 255, ""),
    varchar("Password", 255, ""),
    big("UserGroupNum"),
    big("EmployeeNum"),  # employee.EmployeeNum
    big("ClinicNum"),  # clinic.ClinicNum
    big("ProvNum"),  # provider.ProvNum
    tiny("IsHidden"),
    big("TaskListInBox"),  # tasklist.TaskListNum
    integer("AnesthProvType", 3),
    tiny("DefaultHidePopups"),
    tiny("PasswordIsStrong"),
    tiny("ClinicIsRestricted"),
    tiny("InboxHidePopups"),
    big("UserNumCEMT"),  # userod.UserNum
    datetime("DateTFail", MIN_TIME),
    utiny("FailedAttempts"),
    varchar("DomainUser", 255),
    tiny("IsPasswordResetRequired"),
    varchar("MobileWebPin", 255),
    utiny("MobileWebPinFailedAttempts"),
    datetime("DateTLastLogin", MIN_TIME),
    later("22.3.1", grown("22.4.29", varchar("EClipboardClinicalPin", 128), text("EClipboardClinicalPin"))),
    later("24.1.37", varchar("BadgeId", 255)),
    keys="UserGroupNum; ClinicNum; ProvNum",
)

usergroup = table(
    "usergroup",
    key("UserGroupNum"),
    varchar("Description", 255, ""),
    big("UserGroupNumCEMT"),  # usergroup.UserGroupNum
    keys="UserGroupNumCEMT",
)

usergroupattach = table(
    "usergroupattach",
    key("UserGroupAttachNum"),
    big("UserNum"),  # userod.UserNum
    big("UserGroupNum"),  # usergroup.UserGroupNum
    keys="UserGroupNum; UserNum",
)

grouppermission = table(
    "grouppermission",
    key("GroupPermNum"),
    date("NewerDate", MIN),
    integer("NewerDays"),
    big("UserGroupNum"),  # usergroup.UserGroupNum
    grown("24.3.1", small("PermType"), utiny("PermType", 0)),  # enum EnumPermType
    big("FKey"),
    keys="FKey; UserGroupNum",
)
