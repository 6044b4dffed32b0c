"""Insurance plans and who has them."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    big,
    char,
    date,
    datetime,
    integer,
    key,
    later,
    real,
    stamp,
    table,
    text,
    tiny,
    utiny,
    varchar,
)

patplan = table(
    "patplan",
    key("PatPlanNum"),
    big("PatNum"),  # patient.PatNum
    utiny("Ordinal", 0),
    utiny("IsPending", 0),
    utiny("Relationship", 0),  # enum Relat
    varchar("PatID", 100, ""),
    big("InsSubNum"),  # inssub.InsSubNum
    real("OrthoAutoFeeBilledOverride", -1),
    date("OrthoAutoNextClaimDate", MIN),
    datetime("SecDateTEntry", MIN_TIME),
    stamp("SecDateTEdit"),
    keys="PatNum; InsSubNum; SecDateTEdit; SecDateTEntry",
)

inssub = table(
    "inssub",
    key("InsSubNum"),
    big("PlanNum"),  # insplan.PlanNum
    big("Subscriber"),  # patient.PatNum
    date("DateEffective", MIN),
    date("DateTerm", MIN),
    tiny("ReleaseInfo"),
    tiny("AssignBen"),
    varchar("SubscriberID", 255),
    text("BenefitNotes"),
    text("SubscNote"),
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    stamp("SecDateTEdit"),
    keys="PlanNum; Subscriber; SecUserNumEntry",
)

insplan = table(
    "insplan",
    key("PlanNum"),
    varchar("GroupName", 50, ""),
    varchar("GroupNum", 25, null=True),
    text("PlanNote"),
    big("FeeSched"),  # feesched.FeeSchedNum
    char("PlanType", 1, ""),
    big("ClaimFormNum"),  # claimform.ClaimFormNum
    utiny("UseAltCode", 0),
    utiny("ClaimsUseUCR", 0),
    big("CopayFeeSched"),  # feesched.FeeSchedNum
    big("EmployerNum"),  # employer.EmployerNum
    big("CarrierNum"),  # carrier.CarrierNum
    big("AllowedFeeSched"),  # feesched.FeeSchedNum
    varchar("TrojanID", 100, ""),
    varchar("DivisionNo", 255, ""),
    utiny("IsMedical", 0),
    big("FilingCode"),  # insfilingcode.InsFilingCodeNum
    utiny("DentaideCardSequence"),
    tiny("ShowBaseUnits"),
    tiny("CodeSubstNone"),
    tiny("IsHidden"),
    tiny("MonthRenew"),
    big("FilingCodeSubtype"),  # insfilingcodesubtype.InsFilingCodeSubtypeNum
    varchar("CanadianPlanFlag", 5),
    varchar("CanadianDiagnosticCode", 255),
    varchar("CanadianInstitutionCode", 255),
    varchar("RxBIN", 255),
    tiny("CobRule"),  # enum EnumCobRule
    varchar("SopCode", 255),  # sop.SopCode
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    stamp("SecDateTEdit"),
    tiny("HideFromVerifyList"),
    tiny("OrthoType"),  # enum OrthoClaimType
    tiny("OrthoAutoProcFreq"),  # enum OrthoAutoProcFrequency
    big("OrthoAutoProcCodeNumOverride"),
    real("OrthoAutoFeeBilled"),
    integer("OrthoAutoClaimDaysWait"),
    big("BillingType"),  # definition.DefNum
    tiny("HasPpoSubstWriteoffs"),
    tiny("ExclusionFeeRule"),  # enum ExclusionRule
    big("ManualFeeSchedNum", 0),
    later("21.2.27", tiny("IsBlueBookEnabled", 1)),
    later("22.3.1", tiny("InsPlansZeroWriteOffsOnAnnualMaxOverride")),
    later("22.3.1", tiny("InsPlansZeroWriteOffsOnFreqOrAgingOverride")),
    later("23.1.0", real("PerVisitPatAmount")),
    later("23.1.0", real("PerVisitInsAmount")),
    keys=(
        "CarrierNum; FilingCodeSubtype; TrojanID; SecUserNumEntry; CarrierNum,PlanNum; "
        "OrthoAutoProcCodeNumOverride; BillingType; FeeSched; CopayFeeSched; ManualFeeSchedNum; AllowedFeeSched"
    ),
)

carrier = table(
    "carrier",
    key("CarrierNum"),
    varchar("CarrierName", 255, ""),
    varchar("Address", 255, ""),
    varchar("Address2", 255, ""),
    varchar("City", 255, ""),
    varchar("State", 255, ""),
    varchar("Zip", 255, ""),
    varchar("Phone", 255, ""),
    varchar("ElectID", 255, ""),
    utiny("NoSendElect", 0),  # enum NoSendElectType
    utiny("IsCDA"),
    varchar("CDAnetVersion", 100, ""),
    big("CanadianNetworkNum"),  # canadiannetwork.CanadianNetworkNum
    tiny("IsHidden"),
    tiny("CanadianEncryptionMethod"),
    integer("CanadianSupportedTypes"),
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    stamp("SecDateTEdit"),
    varchar("TIN", 255),
    big("CarrierGroupName"),  # definition.DefNum
    integer("ApptTextBackColor"),
    tiny("IsCoinsuranceInverted"),
    tiny("TrustedEtransFlags"),
    tiny("CobInsPaidBehaviorOverride"),  # enum EclaimCobInsPaidBehavior
    tiny("EraAutomationOverride"),  # enum EraAutomationMode
    later("21.2.1", tiny("OrthoInsPayConsolidate")),  # enum EnumOrthoInsPayConsolidate
    keys="SecUserNumEntry; CarrierNum,CarrierName; CanadianNetworkNum; CarrierGroupName",
)

benefit = table(
    "benefit",
    key("BenefitNum"),
    big("PlanNum"),  # insplan.PlanNum
    big("PatPlanNum"),  # patplan.PatPlanNum
    big("CovCatNum"),  # covcat.CovCatNum
    utiny("BenefitType", 0),  # enum InsBenefitType
    tiny("Percent"),
    real("MonetaryAmt", 0),
    utiny("TimePeriod", 0),  # enum BenefitTimePeriod
    utiny("QuantityQualifier", 0),  # enum BenefitQuantity
    utiny("Quantity", 0),
    big("CodeNum"),  # procedurecode.CodeNum
    integer("CoverageLevel"),  # enum BenefitCoverageLevel
    datetime("SecDateTEntry", MIN_TIME),
    stamp("SecDateTEdit"),
    later("23.2.1", big("CodeGroupNum")),  # codegroup.CodeGroupNum
    later("23.3.1", tiny("TreatArea")),  # enum TreatmentArea
    keys=(
        "PlanNum; PatPlanNum; CovCatNum; BenefitType; Percent; MonetaryAmt; TimePeriod; QuantityQualifier; "
        "Quantity; CodeNum; CoverageLevel; SecDateTEntry; SecDateTEdit; CodeGroupNum"
    ),
)

employer = table(
    "employer",
    key("EmployerNum"),
    varchar("EmpName", 255, ""),
    varchar("Address", 255, ""),
    varchar("Address2", 255, ""),
    varchar("City", 255, ""),
    varchar("State", 255, ""),
    varchar("Zip", 255, ""),
    varchar("Phone", 255, ""),
)
