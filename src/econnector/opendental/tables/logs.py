"""Signals, alerts and logs: how programs around one database tell each other things."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    ZERO_TIME,
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

eservicesignal = table(
    "eservicesignal",
    key("EServiceSignalNum"),
    integer("ServiceCode"),  # enum eServiceCode
    integer("ReasonCategory"),
    integer("ReasonCode"),
    tiny("Severity"),  # enum eServiceSignalSeverity
    text("Description"),
    datetime("SigDateTime", MIN_TIME),
    text("Tag"),
    tiny("IsProcessed"),
)

eservicelog = table(
    "eservicelog",
    key("EServiceLogNum"),
    datetime("LogDateTime", MIN_TIME),
    big("PatNum"),  # patient.PatNum
    tiny("EServiceType", null=True),  # enum eServiceType
    small("EServiceAction", null=True),  # enum eServiceAction
    small("KeyType", null=True),  # enum FKeyType
    grown("21.2.1", varchar("LogGuid", 36), varchar("LogGuid", 16, null=True)),
    big("ClinicNum", null=True),
    big("FKey", null=True),
    later("21.3.1", datetime("DateTimeUploaded", "0001-01-01 12:00:00")),
    later("21.4.1", varchar("Note", 255)),
    keys="PatNum; LogDateTime,ClinicNum; DateTimeUploaded",
)

alertitem = table(
    "alertitem",
    key("AlertItemNum"),
    big("ClinicNum"),  # clinic.ClinicNum
    varchar("Description", 2000),
    tiny("Type"),  # enum AlertType
    tiny("Severity"),  # enum SeverityType
    tiny("Actions"),  # enum ActionType
    tiny("FormToOpen"),  # enum FormType
    big("FKey"),
    varchar("ItemValue", 4000),
    big("UserNum"),  # userod.UserNum
    later("21.4.1", datetime("SecDateTEntry", MIN_TIME)),
    keys="ClinicNum; FKey; UserNum",
)

alertcategory = table(
    "alertcategory",
    key("AlertCategoryNum"),
    tiny("IsHQCategory"),
    varchar("InternalName", 255),
    varchar("Description", 255),
)

alertcategorylink = table(
    "alertcategorylink",
    key("AlertCategoryLinkNum"),
    big("AlertCategoryNum"),  # alertcategory.AlertCategoryNum
    tiny("AlertType"),  # enum AlertType
    keys="AlertCategoryNum",
)

alertsub = table(
    "alertsub",
    key("AlertSubNum"),
    big("UserNum"),  # userod.UserNum
    big("ClinicNum"),  # clinic.ClinicNum
    tiny("Type"),
    big("AlertCategoryNum"),  # alertcategory.AlertCategoryNum
    keys="UserNum; ClinicNum; AlertCategoryNum",
)

alertread = table(
    "alertread",
    key("AlertReadNum"),
    big("AlertItemNum"),  # alertitem.AlertItemNum
    big("UserNum"),  # userod.UserNum
    keys="AlertItemNum; UserNum",
)

signalod = table(
    "signalod",
    key("SignalNum"),
    date("DateViewing", MIN),
    datetime("SigDateTime", MIN_TIME),
    big("FKey"),
    varchar("FKeyType", 255),  # enum* KeyType
    tiny("IType"),  # enum InvalidType
    tiny("RemoteRole"),  # enum MiddleTierRole
    text("MsgValue"),
    keys="SigDateTime; FKey; IType",
)

securitylog = table(
    "securitylog",
    key("SecurityLogNum"),
    grown("24.3.1", small("PermType"), utiny("PermType", 0)),  # enum EnumPermType
    big("UserNum"),  # userod.UserNum
    datetime("LogDateTime", ZERO_TIME),
    text("LogText", null=True),
    big("PatNum"),  # patient.PatNum
    varchar("CompName", 255),
    big("FKey"),
    tiny("LogSource"),  # enum LogSources
    big("DefNum"),
    big("DefNumError"),
    datetime("DateTPrevious", MIN_TIME),
    keys="PatNum; FKey; DefNum; DefNumError; UserNum; LogDateTime; PermType",
)

securityloghash = table(
    "securityloghash",
    key("SecurityLogHashNum"),
    big("SecurityLogNum"),  # securitylog.SecurityLogNum
    varchar("LogHash", 255),
    keys="SecurityLogNum",
)

entrylog = table(
    "entrylog",
    key("EntryLogNum"),
    big("UserNum"),  # userod.UserNum
    tiny("FKeyType"),  # enum EntryLogFKeyType
    big("FKey"),
    tiny("LogSource"),  # enum LogSources
    datetime("EntryDateTime", MIN_TIME),
    keys="UserNum; FKey; EntryDateTime",
)

mobileappdevice = table(
    "mobileappdevice",
    key("MobileAppDeviceNum"),
    big("ClinicNum"),  # clinic.ClinicNum
    varchar("DeviceName", 255),
    varchar("UniqueID", 255),
    gone("23.3.1", tiny("IsAllowed")),
    gone("23.3.1", datetime("LastAttempt", MIN_TIME)),
    gone("23.3.1", datetime("LastLogin", MIN_TIME)),
    big("PatNum"),  # patient.PatNum
    datetime("LastCheckInActivity", MIN_TIME),
    later("23.3.1", tiny("IsEclipboardEnabled")),
    later("23.3.1", datetime("EclipboardLastAttempt", MIN_TIME)),
    later("23.3.1", datetime("EclipboardLastLogin", MIN_TIME)),
    later("21.2.1", tiny("IsBYODDevice")),
    later("21.4.1", tiny("DevicePage")),
    later("22.3.1", big("UserNum")),  # userod.UserNum
    later("23.3.1", tiny("IsODTouchEnabled")),
    later("23.3.1", datetime("ODTouchLastLogin", MIN_TIME)),
    later("23.3.1", datetime("ODTouchLastAttempt", MIN_TIME)),
    keys="ClinicNum; PatNum; UserNum",
)

zipcode = table(
    "zipcode",
    key("ZipCodeNum"),
    varchar("ZipCodeDigits", 20, ""),
    varchar("City", 100, ""),
    varchar("State", 20, ""),
    utiny("IsFrequent", 0),
)

updatehistory = table(
    "updatehistory",
    key("UpdateHistoryNum"),
    datetime("DateTimeUpdated", MIN_TIME),
    varchar("ProgramVersion", 255),
)
