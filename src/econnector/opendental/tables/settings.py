"""The practice: providers, clinics, settings, workstations, pick lists, bridges to other programs."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    big,
    date,
    datetime,
    grown,
    integer,
    key,
    later,
    real,
    stamp,
    table,
    text,
    tiny,
    uinteger,
    usmall,
    utiny,
    varchar,
)

provider = table(
    "provider",
    key("ProvNum"),
    varchar("Abbr", 255, null=True),
    usmall("ItemOrder", 0),
    varchar("LName", 100, ""),
    varchar("FName", 100, ""),
    varchar("MI", 100, ""),
    varchar("Suffix", 100, ""),
    big("FeeSched"),  # feesched.FeeSchedNum
    big("Specialty"),  # definition.DefNum
    varchar("SSN", 12, ""),
    varchar("StateLicense", 15, ""),
    varchar("DEANum", 15, ""),
    utiny("IsSecondary", 0),
    integer("ProvColor", 0),
    utiny("IsHidden", 0),
    utiny("UsingTIN", 0),
    varchar("BlueCrossID", 25, ""),
    utiny("SigOnFile", 1),
    varchar("MedicaidID", 20, ""),
    integer("OutlineColor", 0),
    big("SchoolClassNum"),  # schoolclass.SchoolClassNum
    varchar("NationalProvID", 255, ""),
    varchar("CanadianOfficeNum", 100, ""),
    stamp("DateTStamp"),
    big("AnesthProvType"),
    varchar("TaxonomyCodeOverride", 255),
    tiny("IsCDAnet"),
    varchar("EcwID", 255),
    varchar("StateRxID", 255),
    tiny("IsNotPerson"),
    varchar("StateWhereLicensed", 50),
    big("EmailAddressNum"),
    tiny("IsInstructor"),
    integer("EhrMuStage"),
    big("ProvNumBillingOverride"),  # provider.ProvNum
    varchar("CustomID", 255),
    tiny("ProvStatus"),  # enum ProviderStatus
    tiny("IsHiddenReport"),
    tiny("IsErxEnabled"),  # enum ErxEnabledStatus
    date("Birthdate", MIN),
    varchar("SchedNote", 255),
    grown("22.4.38", varchar("WebSchedDescript", 500), text("WebSchedDescript")),
    varchar("WebSchedImageLocation", 255),
    real("HourlyProdGoalAmt"),
    date("DateTerm", MIN),
    varchar("PreferredName", 100),
    keys="EmailAddressNum; ProvNumBillingOverride; FeeSched",
)

clinic = table(
    "clinic",
    key("ClinicNum"),
    varchar("Description", 255, ""),
    varchar("Address", 255, ""),
    varchar("Address2", 255, ""),
    varchar("City", 255, ""),
    varchar("State", 255, ""),
    varchar("Zip", 255, ""),
    varchar("Phone", 255, ""),
    varchar("BankNumber", 255, ""),
    utiny("DefaultPlaceService", 0),  # enum PlaceOfService
    big("InsBillingProv"),  # provider.ProvNum
    varchar("Fax", 50),
    big("EmailAddressNum"),  # emailaddress.EmailAddressNum
    big("DefaultProv"),  # provider.ProvNum
    datetime("SmsContractDate", MIN_TIME),
    real("SmsMonthlyLimit"),
    tiny("IsMedicalOnly"),
    varchar("BillingAddress", 255),
    varchar("BillingAddress2", 255),
    varchar("BillingCity", 255),
    varchar("BillingState", 255),
    varchar("BillingZip", 255),
    varchar("PayToAddress", 255),
    varchar("PayToAddress2", 255),
    varchar("PayToCity", 255),
    varchar("PayToState", 255),
    varchar("PayToZip", 255),
    tiny("UseBillAddrOnClaims"),
    big("Region"),  # definition.DefNum
    integer("ItemOrder"),
    tiny("IsInsVerifyExcluded"),
    varchar("Abbr", 255),
    varchar("MedLabAccountNum", 16),  # medlab.PatAccountNum
    tiny("IsConfirmEnabled"),
    tiny("IsConfirmDefault"),
    tiny("IsNewPatApptExcluded"),
    tiny("IsHidden"),
    big("ExternalID"),
    varchar("SchedNote", 255),
    tiny("HasProcOnRx"),
    varchar("TimeZone", 75),
    later("22.1.31", varchar("EmailAliasOverride", 255)),
    keys="EmailAddressNum; DefaultProv; Region; ExternalID; InsBillingProv",
)

site = table(
    "site",
    key("SiteNum"),
    varchar("Description", 255, null=True),
    text("Note", null=True),
    varchar("Address", 100),
    varchar("Address2", 100),
    varchar("City", 100),
    varchar("State", 100),
    varchar("Zip", 100),
    big("ProvNum"),  # provider.ProvNum
    tiny("PlaceService"),  # enum PlaceOfService
    keys="ProvNum",
)

preference = table(
    "preference",
    varchar("PrefName", 255, "", null=False),
    text("ValueString"),
    key("PrefNum"),
    text("Comments", null=True),
    keys="PrefName",
)

clinicpref = table(
    "clinicpref",
    key("ClinicPrefNum"),
    big("ClinicNum"),  # clinic.ClinicNum
    varchar("PrefName", 255),
    text("ValueString"),
    keys="ClinicNum",
)

definition = table(
    "definition",
    key("DefNum"),
    utiny("Category", 0),  # enum DefCat
    usmall("ItemOrder", 0),
    varchar("ItemName", 255, ""),
    varchar("ItemValue", 255, ""),
    integer("ItemColor", 0),
    utiny("IsHidden", 0),
)

program = table(
    "program",
    key("ProgramNum"),
    varchar("ProgName", 100, ""),
    varchar("ProgDesc", 100, ""),
    utiny("Enabled", 0),
    grown("24.2.1", text("Path", ""), varchar("Path", 255, "")),
    grown("24.2.1", text("CommandLine", "", null=False), varchar("CommandLine", 255, "")),
    text("Note", null=True),
    varchar("PluginDllName", 255),
    text("ButtonImage"),
    text("FileTemplate"),
    varchar("FilePath", 255),
    tiny("IsDisabledByHq"),
    varchar("CustErr", 255),
)

programproperty = table(
    "programproperty",
    key("ProgramPropertyNum"),
    big("ProgramNum"),  # program.ProgramNum
    varchar("PropertyDesc", 255, ""),
    text("PropertyValue", null=True),
    varchar("ComputerName", 255),
    big("ClinicNum"),  # clinic.ClinicNum
    tiny("IsMasked"),
    later("21.3.1", tiny("IsHighSecurity")),
    keys="ClinicNum",
)

computer = table(
    "computer",
    key("ComputerNum"),
    varchar("CompName", 100, ""),
    datetime("LastHeartBeat", MIN_TIME),
)

computerpref = table(
    "computerpref",
    key("ComputerPrefNum"),
    varchar("ComputerName", 64),
    tiny("GraphicsUseHardware", 0),
    tiny("GraphicsSimple", 0),  # enum DrawingMode
    varchar("SensorType", 255, "D"),
    tiny("SensorBinned"),
    integer("SensorPort", 0, null=True),
    integer("SensorExposure", 1, null=True),
    tiny("GraphicsDoubleBuffering"),
    integer("PreferredPixelFormatNum", 0, null=True),
    varchar("AtoZpath", 255, null=True),
    tiny("TaskKeepListHidden"),
    integer("TaskDock", 0),
    integer("TaskX", 900),
    integer("TaskY", 625),
    varchar("DirectXFormat", 255, ""),
    tiny("ScanDocSelectSource"),
    tiny("ScanDocShowOptions"),
    tiny("ScanDocDuplex"),
    tiny("ScanDocGrayscale"),
    integer("ScanDocResolution"),
    utiny("ScanDocQuality"),
    big("ClinicNum"),  # clinic.ClinicNum
    big("ApptViewNum"),  # apptview.ApptViewNum
    utiny("RecentApptView"),
    tiny("PatSelectSearchMode"),  # enum SearchMode
    tiny("NoShowLanguage"),
    tiny("NoShowDecimal"),
    varchar("ComputerOS", 255),  # enum PlatformOD
    real("HelpButtonXAdjustment"),
    tiny("GraphicsUseDirectX11", 0),  # enum YN
    integer("Zoom", 0),
    later("22.2.1", varchar("VideoRectangle", 255)),
    keys="ClinicNum; ApptViewNum",
)

registrationkey = table(
    "registrationkey",
    key("RegistrationKeyNum"),
    big("PatNum"),  # patient.PatNum
    varchar("RegKey", 4000, null=True),
    varchar("Note", 4000, null=True),
    date("DateStarted"),
    date("DateDisabled"),
    date("DateEnded"),
    tiny("IsForeign"),
    tiny("UsesServerVersion"),
    tiny("IsFreeVersion"),
    tiny("IsOnlyForTesting"),
    integer("VotesAllotted"),
    tiny("IsResellerCustomer"),
    tiny("HasEarlyAccess"),
    datetime("DateTBackupScheduled", MIN_TIME),
    varchar("BackupPassCode", 32),
    keys="PatNum",
)

replicationserver = table(
    "replicationserver",
    key("ReplicationServerNum"),
    text("Descript"),
    uinteger("ServerId"),
    big("RangeStart"),
    big("RangeEnd"),
    varchar("AtoZpath", 255),
    tiny("UpdateBlocked"),
    varchar("SlaveMonitor", 255),
)
