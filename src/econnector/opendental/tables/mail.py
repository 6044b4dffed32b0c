"""E-mail, secure messages and the log of contacts."""

from econnector.opendental.tables.columns import (
    MIN_TIME,
    ZERO_TIME,
    big,
    datetime,
    grown,
    integer,
    key,
    later,
    longtext,
    stamp,
    table,
    text,
    tiny,
    utiny,
    varchar,
)

emailmessage = table(
    "emailmessage",
    key("EmailMessageNum"),
    big("PatNum"),  # patient.PatNum
    text("ToAddress", null=True),
    text("FromAddress", null=True),
    text("Subject", null=True),
    longtext("BodyText"),
    datetime("MsgDateTime", ZERO_TIME),
    utiny("SentOrReceived"),  # enum EmailSentOrReceived
    varchar("RecipientAddress", 255),
    longtext("RawEmailIn"),
    big("ProvNumWebMail"),  # provider.ProvNum
    big("PatNumSubj"),  # patient.PatNum
    text("CcAddress"),
    text("BccAddress"),
    tiny("HideIn"),  # enum HideInFlags
    big("AptNum"),  # appointment.AptNum
    big("UserNum"),  # userod.UserNum
    tiny("HtmlType"),  # enum EmailType
    datetime("SecDateTEntry", MIN_TIME),
    stamp("SecDateTEdit"),
    varchar("MsgType", 255),  # enum* EmailMessageSource
    varchar("FailReason", 255),
    keys=(
        "PatNum; ProvNumWebMail; PatNumSubj; AptNum; UserNum; MsgDateTime,SentOrReceived; SentOrReceived; "
        "SentOrReceived,RecipientAddress,FromAddress; SecDateTEntry; SecDateTEdit"
    ),
)

emailattach = table(
    "emailattach",
    key("EmailAttachNum"),
    big("EmailMessageNum"),  # emailmessage.EmailMessageNum
    varchar("DisplayedFileName", 255, ""),
    varchar("ActualFileName", 255, ""),
    big("EmailTemplateNum"),  # emailtemplate.EmailTemplateNum
    keys="EmailMessageNum; EmailTemplateNum",
)

emailaddress = table(
    "emailaddress",
    key("EmailAddressNum"),
    varchar("SMTPserver", 255),
    varchar("EmailUsername", 255),
    varchar("EmailPassword", 255),
    integer("ServerPort"),
    tiny("UseSSL"),
    varchar("SenderAddress", 255),
    varchar("Pop3ServerIncoming", 255),
    integer("ServerPortIncoming"),
    big("UserNum"),  # userod.UserNum
    grown("22.3.14", varchar("AccessToken", 2000), varchar("AccessToken", 255)),
    grown("22.3.14", text("RefreshToken"), varchar("RefreshToken", 255)),
    tiny("DownloadInbox"),
    later("21.4.16", varchar("QueryString", 1000)),
    later("22.2.43", tiny("AuthenticationType")),  # enum OAuthType
    keys="UserNum",
)

commlog = table(
    "commlog",
    key("CommlogNum"),
    big("PatNum"),  # patient.PatNum
    datetime("CommDateTime", ZERO_TIME),
    big("CommType"),  # definition.DefNum
    text("Note", null=True),
    utiny("Mode_", 0),  # enum CommItemMode
    utiny("SentOrReceived", 0),  # enum CommSentOrReceived
    big("UserNum"),  # userod.UserNum
    text("Signature"),
    tiny("SigIsTopaz"),
    stamp("DateTStamp"),
    datetime("DateTimeEnd", MIN_TIME),
    tiny("CommSource", null=True),  # enum CommItemSource
    big("ProgramNum"),  # program.ProgramNum
    later("22.2.1", datetime("DateTEntry", MIN_TIME)),
    later("23.1.0", big("ReferralNum")),  # referral.ReferralNum
    later("23.1.0", tiny("CommReferralBehavior")),  # enum EnumCommReferralBehavior
    keys="PatNum; CommDateTime; CommType; ProgramNum; PatNum,CommDateTime,CommType; UserNum; ReferralNum",
)

msgtopaysent = table(
    "msgtopaysent",
    key("MsgToPaySentNum"),
    big("PatNum"),  # patient.PatNum
    big("ClinicNum"),  # patient.ClinicNum
    tiny("SendStatus"),
    tiny("Source"),
    tiny("MessageType"),
    big("MessageFk"),
    text("Subject"),
    text("Message"),
    tiny("EmailType"),
    datetime("DateTimeEntry"),
    datetime("DateTimeSent"),
    text("ResponseDescript"),
    big("ApptReminderRuleNum"),  # apptreminderrule.ApptReminderRuleNum
    varchar("ShortGUID", 255),
    datetime("DateTimeSendFailed"),
    later("24.3.1", big("ApptNum")),  # appointment.AptNum
    later("24.3.1", datetime("ApptDateTime", MIN_TIME)),
    later("24.3.1", big("TSPrior")),
    later("24.3.1", big("StatementNum")),  # statement.StatementNum
    keys="PatNum; DateTimeSent; ClinicNum; MessageFk",
    since="24.1.1",
)
