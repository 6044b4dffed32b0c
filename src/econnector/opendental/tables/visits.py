"""Appointments, schedules and recall."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    ZERO,
    big,
    date,
    datetime,
    gone,
    grown,
    integer,
    key,
    later,
    real,
    stamp,
    table,
    text,
    time,
    tiny,
    usmall,
    utiny,
    varchar,
)

appointment = table(
    "appointment",
    key("AptNum"),
    big("PatNum"),  # patient.PatNum
    utiny("AptStatus", 0),  # enum ApptStatus
    varchar("Pattern", 255, ""),
    big("Confirmed"),  # definition.DefNum
    tiny("TimeLocked"),
    big("Op"),  # operatory.OperatoryNum
    text("Note", null=True),
    big("ProvNum"),  # provider.ProvNum
    big("ProvHyg"),  # provider.ProvNum
    datetime("AptDateTime", MIN_TIME),
    big("NextAptNum"),  # appointment.AptNum
    big("UnschedStatus"),  # definition.DefNum
    utiny("IsNewPatient", 0),
    varchar("ProcDescript", 255, ""),
    big("Assistant"),  # employee.EmployeeNum
    big("ClinicNum"),  # clinic.ClinicNum
    utiny("IsHygiene", 0),
    stamp("DateTStamp"),
    datetime("DateTimeArrived"),
    datetime("DateTimeSeated"),
    datetime("DateTimeDismissed"),
    big("InsPlan1"),  # insplan.PlanNum
    big("InsPlan2"),  # insplan.PlanNum
    datetime("DateTimeAskedToArrive", MIN_TIME),
    text("ProcsColored"),
    integer("ColorOverride"),
    big("AppointmentTypeNum"),  # appointmenttype.AppointmentTypeNum
    big("SecUserNumEntry"),  # userod.UserNum
    datetime("SecDateTEntry", MIN_TIME),
    tiny("Priority"),  # enum ApptPriority
    varchar("ProvBarText", 60),
    varchar("PatternSecondary", 255),
    later("21.4.1", varchar("SecurityHash", 255)),
    later("24.2.1", integer("ItemOrderPlanned")),
    keys=(
        "PatNum; NextAptNum; ProvNum; ProvHyg; AptDateTime; InsPlan1; InsPlan2; DateTimeArrived; "
        "AppointmentTypeNum; Op; SecUserNumEntry; AptStatus,AptDateTime,ClinicNum; Priority; UnschedStatus; "
        "ClinicNum"
    ),
)

appointmenttype = table(
    "appointmenttype",
    key("AppointmentTypeNum"),
    varchar("AppointmentTypeName", 255),
    integer("AppointmentTypeColor"),
    integer("ItemOrder"),
    tiny("IsHidden"),
    varchar("Pattern", 255),
    varchar("CodeStr", 4000),
    later("22.4.1", varchar("CodeStrRequired", 4000)),
    later("22.4.1", tiny("RequiredProcCodesNeeded")),  # enum EnumRequiredProcCodesNeeded
    later("22.4.1", varchar("BlockoutTypes", 255)),
)

operatory = table(
    "operatory",
    key("OperatoryNum"),
    varchar("OpName", 255, ""),
    varchar("Abbrev", 255, ""),
    usmall("ItemOrder", 0),
    utiny("IsHidden", 0),
    big("ProvDentist"),  # provider.ProvNum
    big("ProvHygienist"),  # provider.ProvNum
    utiny("IsHygiene", 0),
    big("ClinicNum"),  # clinic.ClinicNum
    stamp("DateTStamp"),
    tiny("SetProspective"),
    tiny("IsWebSched"),
    tiny("IsNewPatAppt"),
    later("22.4.1", big("OperatoryType")),  # definition.DefNum
    keys="ProvDentist; ProvHygienist; ClinicNum; OperatoryType",
)

schedule = table(
    "schedule",
    key("ScheduleNum"),
    date("SchedDate", ZERO),
    time("StartTime", "00:00:00"),
    time("StopTime", "00:00:00"),
    utiny("SchedType", 0),  # enum ScheduleType
    big("ProvNum"),  # provider.ProvNum
    big("BlockoutType"),  # definition.DefNum
    text("Note", null=True),
    utiny("Status", 0),  # enum SchedStatus
    big("EmployeeNum"),  # employee.EmployeeNum
    stamp("DateTStamp"),
    big("ClinicNum"),  # clinic.ClinicNum
    keys="ProvNum; SchedDate; ClinicNum,SchedType; BlockoutType; EmployeeNum,SchedDate,SchedType,StopTime",
)

recall = table(
    "recall",
    key("RecallNum"),
    big("PatNum"),  # patient.PatNum
    date("DateDueCalc", MIN),
    date("DateDue", MIN),
    date("DatePrevious", MIN),
    integer("RecallInterval", 0),
    big("RecallStatus"),  # definition.DefNum
    text("Note", null=True),
    utiny("IsDisabled", 0),
    stamp("DateTStamp"),
    big("RecallTypeNum"),  # recalltype.RecallTypeNum
    real("DisableUntilBalance"),
    date("DisableUntilDate", MIN),
    date("DateScheduled", MIN),
    tiny("Priority"),  # enum RecallPriority
    varchar("TimePatternOverride", 255),
    keys=(
        "PatNum; DateDue; DatePrevious; IsDisabled; RecallTypeNum; DateScheduled; "
        "DateDue,IsDisabled,RecallTypeNum,DateScheduled"
    ),
)

recalltype = table(
    "recalltype",
    key("RecallTypeNum"),
    varchar("Description", 255, null=True),
    integer("DefaultInterval"),
    varchar("TimePattern", 255, null=True),
    varchar("Procedures", 255, null=True),
    tiny("AppendToSpecial"),
)

recalltrigger = table(
    "recalltrigger",
    key("RecallTriggerNum"),
    big("RecallTypeNum"),  # recalltype.RecallTypeNum
    big("CodeNum"),  # procedurecode.CodeNum
    keys="CodeNum; RecallTypeNum",
)

webschedrecall = table(
    "webschedrecall",
    key("WebSchedRecallNum"),
    big("ClinicNum"),  # clinic.ClinicNum
    big("PatNum"),  # patient.PatNum
    big("RecallNum"),  # recall.RecallNum
    datetime("DateTimeEntry", MIN_TIME),
    grown("22.2.1", datetime("DateDue", MIN_TIME), date("DateDue", MIN)),
    integer("ReminderCount"),
    gone("22.2.1", tiny("PreferRecallMethod")),
    gone("22.2.1", datetime("DateTimeReminderSent", MIN_TIME)),
    datetime("DateTimeSendFailed", MIN_TIME),
    gone("22.2.1", tiny("EmailSendStatus")),
    gone("22.2.1", tiny("SmsSendStatus")),
    gone("22.2.1", varchar("PhonePat", 255)),
    gone("22.2.1", varchar("EmailPat", 255)),
    gone("22.2.1", text("MsgTextToMobileTemplate")),
    gone("22.2.1", text("MsgTextToMobile")),
    gone("22.2.1", text("EmailSubjTemplate")),
    gone("22.2.1", text("EmailSubj")),
    gone("22.2.1", text("EmailTextTemplate")),
    gone("22.2.1", text("EmailText")),
    gone("22.2.1", text("GuidMessageToMobile")),
    gone("22.2.1", varchar("ShortGUIDSms", 255)),
    gone("22.2.1", varchar("ShortGUIDEmail", 255)),
    text("ResponseDescript"),
    tiny("Source"),  # enum WebSchedRecallSource
    later("22.2.1", datetime("DateTimeSent", MIN_TIME)),
    later("22.2.1", tiny("SendStatus")),  # enum AutoCommStatus
    later("22.2.1", varchar("ShortGUID", 255)),
    later("22.2.1", big("CommlogNum")),
    later("22.2.1", tiny("MessageType")),  # enum CommType
    later("22.2.1", big("MessageFk")),
    later("22.2.1", big("ApptReminderRuleNum")),  # apptreminderrule.ApptReminderRuleNum
    keys=(
        "ClinicNum; PatNum; RecallNum; DateTimeReminderSent; GuidMessageToMobile; "
        "MessageType,SendStatus,ClinicNum; CommlogNum; MessageFk; ApptReminderRuleNum; DateTimeEntry"
    ),
)

confirmationrequest = table(
    "confirmationrequest",
    key("ConfirmationRequestNum"),
    big("ClinicNum"),  # clinic.ClinicNum
    gone("22.2.1", tiny("IsForSms")),
    gone("22.2.1", tiny("IsForEmail")),
    big("PatNum"),  # patient.PatNum
    big("ApptNum"),
    gone("22.2.1", varchar("PhonePat", 255)),
    datetime("DateTimeConfirmExpire", MIN_TIME),
    gone("22.2.1", integer("SecondsFromEntryToExpire")),
    varchar("ShortGUID", 255),
    varchar("ConfirmCode", 255),
    gone("22.2.1", text("MsgTextToMobileTemplate")),
    gone("22.2.1", text("MsgTextToMobile")),
    gone("22.2.1", text("EmailSubjTemplate")),
    gone("22.2.1", text("EmailSubj")),
    gone("22.2.1", text("EmailTextTemplate")),
    gone("22.2.1", text("EmailText")),
    datetime("DateTimeEntry", MIN_TIME),
    datetime("DateTimeConfirmTransmit", MIN_TIME),
    datetime("DateTimeRSVP", MIN_TIME),
    tiny("RSVPStatus"),  # enum RSVPStatusCodes
    text("ResponseDescript"),
    gone("22.2.1", text("GuidMessageToMobile")),
    text("GuidMessageFromMobile"),  # smsfrommobile.GuidMessage
    gone("22.2.1", varchar("ShortGuidEmail", 255)),
    gone("22.2.1", datetime("AptDateTimeOrig", MIN_TIME)),
    big("TSPrior"),
    tiny("DoNotResend"),
    gone("22.2.1", tiny("SmsSentOk")),
    gone("22.2.1", tiny("EmailSentOk")),
    big("ApptReminderRuleNum"),  # apptreminderrule.ApptReminderRuleNum
    later("22.2.1", datetime("ApptDateTime", MIN_TIME)),
    later("22.2.1", tiny("SendStatus")),  # enum AutoCommStatus
    later("22.2.1", tiny("MessageType")),  # enum CommType
    later("22.2.1", big("MessageFk")),
    later("22.2.1", datetime("DateTimeSent", MIN_TIME)),
    keys="ClinicNum; PatNum; ApptNum; TSPrior; ApptReminderRuleNum; MessageFk",
)
