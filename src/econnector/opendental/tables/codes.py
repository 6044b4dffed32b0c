"""Code systems."""

from econnector.opendental.tables.columns import integer, key, stamp, table, text, tiny, varchar

codesystem = table(
    "codesystem",
    key("CodeSystemNum"),
    varchar("CodeSystemName", 255),
    varchar("VersionCur", 255),
    varchar("VersionAvail", 255),
    varchar("HL7OID", 255),
    varchar("Note", 255),
    keys="CodeSystemName",
)

snomed = table(
    "snomed",
    key("SnomedNum"),
    varchar("SnomedCode", 255),
    varchar("Description", 255),
    keys="SnomedCode",
)

cvx = table(
    "cvx",
    key("CvxNum"),
    varchar("CvxCode", 255),
    varchar("Description", 255),
    varchar("IsActive", 255),
    keys="CvxCode",
)

rxnorm = table(
    "rxnorm",
    key("RxNormNum"),
    varchar("RxCui", 255),
    varchar("MmslCode", 255),
    text("Description"),
    keys="RxCui",
)

loinc = table(
    "loinc",
    key("LoincNum"),
    varchar("LoincCode", 255),
    varchar("Component", 255),
    varchar("PropertyObserved", 255),
    varchar("TimeAspct", 255),
    varchar("SystemMeasured", 255),
    varchar("ScaleType", 255),
    varchar("MethodType", 255),
    varchar("StatusOfCode", 255),
    varchar("NameShort", 255),
    varchar("ClassType", 255),
    tiny("UnitsRequired"),
    varchar("OrderObs", 255),
    varchar("HL7FieldSubfieldID", 255),
    text("ExternalCopyrightNotice"),
    varchar("NameLongCommon", 255),
    varchar("UnitsUCUM", 255),
    integer("RankCommonTests"),
    integer("RankCommonOrders"),
    keys="LoincCode",
)

icd9 = table(
    "icd9",
    key("ICD9Num"),
    varchar("ICD9Code", 255),
    varchar("Description", 255),
    stamp("DateTStamp"),
    keys="ICD9Code",
)

icd10 = table(
    "icd10",
    key("Icd10Num"),
    varchar("Icd10Code", 255),
    varchar("Description", 255),
    varchar("IsCode", 255),
    keys="Icd10Code",
)

cdcrec = table(
    "cdcrec",
    key("CdcrecNum"),
    varchar("CdcrecCode", 255),
    varchar("HeirarchicalCode", 255),
    varchar("Description", 255),
    keys="CdcrecCode",
)

hcpcs = table(
    "hcpcs",
    key("HcpcsNum"),
    varchar("HcpcsCode", 255),
    varchar("DescriptionShort", 255),
    keys="HcpcsCode",
)

ucum = table(
    "ucum",
    key("UcumNum"),
    varchar("UcumCode", 255),
    varchar("Description", 255),
    tiny("IsInUse"),
    keys="UcumCode",
)

sop = table(
    "sop",
    key("SopNum"),
    varchar("SopCode", 255),
    varchar("Description", 255),
    keys="SopCode",
)

cpt = table(
    "cpt",
    key("CptNum"),
    varchar("CptCode", 255),
    varchar("Description", 4000),
    varchar("VersionIDs", 255),
    keys="CptCode",
)

oidinternal = table(
    "oidinternal",
    key("OIDInternalNum"),
    varchar("IDType", 255),  # enum* IdentifierType
    varchar("IDRoot", 255),
)
