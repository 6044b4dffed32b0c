"""Procedures and treatment plans."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    big,
    char,
    date,
    datetime,
    grown,
    integer,
    key,
    later,
    real,
    single,
    stamp,
    table,
    text,
    time,
    tiny,
    usmall,
    utiny,
    varchar,
)

procedurelog = table(
    "procedurelog",
    key("ProcNum"),
    big("PatNum"),  # patient.PatNum
    big("AptNum"),  # appointment.AptNum
    varchar("OldCode", 15, "", null=False, exact=True),
    date("ProcDate", MIN),
    real("ProcFee", 0),
    varchar("Surf", 10, ""),
    varchar("ToothNum", 2, ""),
    varchar("ToothRange", 100, ""),
    big("Priority"),  # definition.DefNum
    utiny("ProcStatus", 0),  # enum ProcStat
    big("ProvNum"),  # provider.ProvNum
    big("Dx"),  # definition.DefNum
    big("PlannedAptNum"),  # appointment.AptNum
    utiny("PlaceService", 0),  # enum PlaceOfService
    char("Prosthesis", 1, ""),
    date("DateOriginalProsth", MIN),
    varchar("ClaimNote", 80, ""),
    date("DateEntryC", MIN),
    big("ClinicNum"),  # clinic.ClinicNum
    varchar("MedicalCode", 15, "", exact=True),  # procedurecode.ProcCode
    varchar("DiagnosticCode", 255, ""),
    utiny("IsPrincDiag", 0),
    big("ProcNumLab"),  # procedurelog.ProcNum
    big("BillingTypeOne"),  # definition.DefNum
    big("BillingTypeTwo"),  # definition.DefNum
    big("CodeNum"),  # procedurecode.CodeNum
    char("CodeMod1", 2, null=True),
    char("CodeMod2", 2, null=True),
    char("CodeMod3", 2, null=True),
    char("CodeMod4", 2, null=True),
    varchar("RevCode", 45, null=True),
    integer("UnitQty"),
    integer("BaseUnits"),
    integer("StartTime"),
    integer("StopTime"),
    date("DateTP"),
    big("SiteNum"),  # site.SiteNum
    tiny("HideGraphics"),
    varchar("CanadianTypeCodes", 20),
    time("ProcTime"),
    time("ProcTimeEnd"),
    stamp("DateTStamp"),
    big("Prognosis"),  # definition.DefNum
    tiny("DrugUnit"),  # enum EnumProcDrugUnit
    single("DrugQty"),
    tiny("UnitQtyType"),  # enum ProcUnitQtyType
    big("StatementNum"),  # statement.StatementNum
    tiny("IsLocked"),
    varchar("BillingNote", 255),
    big("RepeatChargeNum"),  # repeatcharge.RepeatChargeNum
    varchar("SnomedBodySite", 255),
    varchar("DiagnosticCode2", 255),
    varchar("DiagnosticCode3", 255),
    varchar("DiagnosticCode4", 255),
    big("ProvOrderOverride"),  # provider.ProvNum
    real("Discount"),
    tiny("IsDateProsthEst"),
    utiny("IcdVersion"),
    tiny("IsCpoe"),
    big("SecUserNumEntry"),  # userod.UserNum
    grown("22.3.13", datetime("SecDateEntry", MIN_TIME), date("SecDateEntry", MIN)),
    date("DateComplete", MIN),
    big("OrderingReferralNum"),  # referral.ReferralNum
    real("TaxAmt"),
    tiny("Urgency"),  # enum ProcUrgency
    real("DiscountPlanAmt"),
    keys=(
        "CodeNum; PlannedAptNum; BillingTypeOne; BillingTypeTwo; Prognosis; ProcNumLab; ProcDate; StatementNum; "
        "RepeatChargeNum; ProvOrderOverride; PatNum,ProcStatus,ClinicNum; ProvNum,ProcDate; SecUserNumEntry; "
        "ClinicNum; PatNum,ProcStatus,ProcFee,UnitQty,BaseUnits,ProcDate; OrderingReferralNum; "
        "PatNum,ProcStatus,CodeNum,ProcDate; DateComplete; AptNum,CodeNum,ProcStatus,IsCpoe,ProvNum; Priority; "
        "ProcDate,ClinicNum,ProcStatus; DateTStamp,PatNum"
    ),
)

procedurecode = table(
    "procedurecode",
    key("CodeNum"),
    varchar("ProcCode", 15, "", null=False, exact=True),
    varchar("Descript", 255, ""),
    varchar("AbbrDesc", 50, ""),
    varchar("ProcTime", 24, ""),
    big("ProcCat"),  # definition.DefNum
    utiny("TreatArea", 0),  # enum TreatmentArea
    utiny("NoBillIns", 0),
    utiny("IsProsth", 0),
    text("DefaultNote", null=True),
    utiny("IsHygiene", 0),
    usmall("GTypeNum", 0),
    varchar("AlternateCode1", 15, ""),
    varchar("MedicalCode", 15, "", exact=True),  # procedurecode.ProcCode
    utiny("IsTaxed", 0),
    tiny("PaintType", 0),  # enum ToothPaintingType
    integer("GraphicColor"),
    varchar("LaymanTerm", 255, ""),
    utiny("IsCanadianLab"),
    tiny("PreExisting", 0),
    integer("BaseUnits"),
    varchar("SubstitutionCode", 25, null=True),  # procedurecode.ProcCode
    integer("SubstOnlyIf"),  # enum SubstitutionCondition
    stamp("DateTStamp"),
    tiny("IsMultiVisit"),
    varchar("DrugNDC", 255),
    varchar("RevenueCodeDefault", 255),
    big("ProvNumDefault"),  # provider.ProvNum
    real("CanadaTimeUnits"),
    tiny("IsRadiology"),
    text("DefaultClaimNote"),
    text("DefaultTPNote"),
    tiny("BypassGlobalLock"),  # enum BypassLockStatus
    varchar("TaxCode", 16),
    varchar("PaintText", 255),
    later("21.2.2", tiny("AreaAlsoToothRange")),
    later("23.3.1", varchar("DiagnosticCodes", 255)),
    keys="ProcCode; ProvNumDefault",
)

treatplan = table(
    "treatplan",
    key("TreatPlanNum"),
    big("PatNum"),  # patient.PatNum
    date("DateTP", MIN),
    varchar("Heading", 255, ""),
    text("Note", null=True),
    text("Signature", null=True),
    tiny("SigIsTopaz"),
    big("ResponsParty"),  # patient.PatNum
    big("DocNum"),  # document.DocNum
    tiny("TPStatus"),  # enum TreatPlanStatus
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    stamp("SecDateTEdit"),
    big("UserNumPresenter"),  # userod.UserNum
    tiny("TPType"),  # enum TreatPlanType
    text("SignaturePractice"),
    datetime("DateTSigned", MIN_TIME),
    datetime("DateTPracticeSigned", MIN_TIME),
    varchar("SignatureText", 255),
    varchar("SignaturePracticeText", 255),
    later("21.2.1", big("MobileAppDeviceNum")),
    keys="PatNum; DocNum; SecUserNumEntry; UserNumPresenter; MobileAppDeviceNum",
)

treatplanattach = table(
    "treatplanattach",
    key("TreatPlanAttachNum"),
    big("TreatPlanNum"),  # treatplan.TreatPlanNum
    big("ProcNum"),  # procedurelog.ProcNum
    big("Priority"),  # definition.DefNum
    keys="TreatPlanNum; ProcNum; Priority",
)

proctp = table(
    "proctp",
    key("ProcTPNum"),
    big("TreatPlanNum"),  # treatplan.TreatPlanNum
    big("PatNum"),  # patient.PatNum
    big("ProcNumOrig"),  # procedurelog.ProcNum
    usmall("ItemOrder", 0),
    big("Priority"),  # definition.DefNum
    varchar("ToothNumTP", 255, ""),
    varchar("Surf", 255, ""),
    varchar("ProcCode", 15, null=True),
    varchar("Descript", 255, ""),
    real("FeeAmt", 0),
    real("PriInsAmt", 0),
    real("SecInsAmt", 0),
    real("PatAmt", 0),
    real("Discount"),
    varchar("Prognosis", 255),
    varchar("Dx", 255),
    varchar("ProcAbbr", 50),
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    stamp("SecDateTEdit"),
    real("FeeAllowed"),
    real("TaxAmt"),
    big("ProvNum"),  # provider.ProvNum
    date("DateTP", MIN),
    big("ClinicNum"),  # clinic.ClinicNum
    real("CatPercUCR"),
    keys="PatNum; TreatPlanNum; SecUserNumEntry; ProvNum; ClinicNum; ProcNumOrig",
)
