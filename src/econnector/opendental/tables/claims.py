"""Insurance claims."""

from econnector.opendental.tables.columns import (
    MIN,
    big,
    char,
    date,
    integer,
    key,
    later,
    real,
    small,
    stamp,
    table,
    text,
    tiny,
    utiny,
    varchar,
)

claim = table(
    "claim",
    key("ClaimNum"),
    big("PatNum"),  # patient.PatNum
    date("DateService", MIN),
    date("DateSent", MIN),
    char("ClaimStatus", 1, ""),
    date("DateReceived", MIN),
    big("PlanNum"),  # insplan.PlanNum
    big("ProvTreat"),  # provider.ProvNum
    real("ClaimFee", 0),
    real("InsPayEst", 0),
    real("InsPayAmt", 0),
    real("DedApplied", 0),
    varchar("PreAuthString", 40, ""),
    char("IsProsthesis", 1, ""),
    date("PriorDate", MIN),
    varchar("ReasonUnderPaid", 255, ""),
    varchar("ClaimNote", 400, null=True),
    varchar("ClaimType", 255, ""),
    big("ProvBill"),  # provider.ProvNum
    big("ReferringProv"),  # referral.ReferralNum
    varchar("RefNumString", 40, ""),
    utiny("PlaceService", 0),  # enum PlaceOfService
    char("AccidentRelated", 1, ""),
    date("AccidentDate", MIN),
    varchar("AccidentST", 2, ""),
    utiny("EmployRelated", 0),  # enum YN
    utiny("IsOrtho", 0),
    utiny("OrthoRemainM", 0),
    date("OrthoDate", MIN),
    utiny("PatRelat", 0),  # enum Relat
    big("PlanNum2"),  # insplan.PlanNum
    utiny("PatRelat2", 0),  # enum Relat
    real("WriteOff", 0),
    utiny("Radiographs", 0),
    big("ClinicNum"),  # clinic.ClinicNum
    big("ClaimForm"),  # claimform.ClaimFormNum
    integer("AttachedImages"),
    integer("AttachedModels"),
    varchar("AttachedFlags", 255, null=True),
    varchar("AttachmentID", 255, null=True),
    varchar("CanadianMaterialsForwarded", 10),
    varchar("CanadianReferralProviderNum", 20),
    tiny("CanadianReferralReason"),
    varchar("CanadianIsInitialLower", 5),
    date("CanadianDateInitialLower", MIN),
    tiny("CanadianMandProsthMaterial"),
    varchar("CanadianIsInitialUpper", 5),
    date("CanadianDateInitialUpper", MIN),
    tiny("CanadianMaxProsthMaterial"),
    big("InsSubNum"),  # inssub.InsSubNum
    big("InsSubNum2"),  # inssub.InsSubNum
    varchar("CanadaTransRefNum", 255),
    date("CanadaEstTreatStartDate", MIN),
    real("CanadaInitialPayment"),
    utiny("CanadaPaymentMode"),
    utiny("CanadaTreatDuration"),
    utiny("CanadaNumAnticipatedPayments"),
    real("CanadaAnticipatedPayAmount"),
    varchar("PriorAuthorizationNumber", 255),
    tiny("SpecialProgramCode"),  # enum EnumClaimSpecialProgram
    varchar("UniformBillType", 255),
    tiny("MedType"),  # enum EnumClaimMedType
    varchar("AdmissionTypeCode", 255),
    varchar("AdmissionSourceCode", 255),
    varchar("PatientStatusCode", 255),
    big("CustomTracking"),  # definition.DefNum
    date("DateResent", MIN),
    tiny("CorrectionType"),  # enum ClaimCorrectionType
    varchar("ClaimIdentifier", 255),
    varchar("OrigRefNum", 255),
    big("ProvOrderOverride"),  # provider.ProvNum
    utiny("OrthoTotalM"),
    real("ShareOfCost"),
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    stamp("SecDateTEdit"),
    big("OrderingReferralNum"),  # referral.ReferralNum
    date("DateSentOrig", MIN),
    date("DateIllnessInjuryPreg", MIN),
    small("DateIllnessInjuryPregQualifier"),  # enum DateIllnessInjuryPregQualifier
    date("DateOther", MIN),
    small("DateOtherQualifier"),  # enum DateOtherQualifier
    tiny("IsOutsideLab"),
    later("23.3.38", varchar("SecurityHash", 255)),
    later("24.1.23", text("Narrative")),
    keys=(
        "PatNum; PlanNum; InsSubNum; InsSubNum2; CustomTracking; ProvOrderOverride; SecUserNumEntry; "
        "PlanNum,ClaimStatus,ClaimType,PatNum,ClaimNum,DateService,ProvTreat,ClaimFee,ClinicNum; "
        "OrderingReferralNum; ProvBill; ProvTreat; ClinicNum; PatNum,ClaimStatus,ClaimType; "
        "PatNum,ClaimStatus,ClaimType,DateSent"
    ),
)

claimproc = table(
    "claimproc",
    key("ClaimProcNum"),
    big("ProcNum"),  # procedurelog.ProcNum
    big("ClaimNum"),  # claim.ClaimNum
    big("PatNum"),  # patient.PatNum
    big("ProvNum"),  # provider.ProvNum
    real("FeeBilled", 0),
    real("InsPayEst", 0),
    real("DedApplied", 0),
    utiny("Status", 0),  # enum ClaimProcStatus
    real("InsPayAmt", 0),
    varchar("Remarks", 255, ""),
    big("ClaimPaymentNum"),  # claimpayment.ClaimPaymentNum
    big("PlanNum"),  # insplan.PlanNum
    date("DateCP", MIN),
    real("WriteOff", 0),
    varchar("CodeSent", 15, ""),
    real("AllowedOverride"),
    tiny("Percentage", -1),
    tiny("PercentOverride", -1),
    real("CopayAmt", -1),
    utiny("NoBillIns", 0),
    real("PaidOtherIns", -1),
    real("BaseEst", 0),
    real("CopayOverride", -1),
    date("ProcDate", MIN),
    date("DateEntry", MIN),
    utiny("LineNumber"),
    real("DedEst"),
    real("DedEstOverride"),
    real("InsEstTotal"),
    real("InsEstTotalOverride"),
    real("PaidOtherInsOverride"),
    varchar("EstimateNote", 255),
    real("WriteOffEst"),
    real("WriteOffEstOverride"),
    big("ClinicNum"),  # clinic.ClinicNum
    big("InsSubNum"),  # inssub.InsSubNum
    integer("PaymentRow"),
    big("PayPlanNum"),  # payplan.PayPlanNum
    big("ClaimPaymentTracking"),  # definition.DefNum
    big("SecUserNumEntry"),  # userod.UserNum
    date("SecDateEntry", MIN),
    stamp("SecDateTEdit"),
    date("DateSuppReceived", MIN),
    date("DateInsFinalized", MIN),
    tiny("IsTransfer"),
    later("21.2.1", varchar("ClaimAdjReasonCodes", 255)),
    later("23.1.13", tiny("IsOverpay")),
    later("23.3.38", varchar("SecurityHash", 255)),
    keys=(
        "PatNum; PlanNum; ClaimNum; ProvNum; ProcNum; ClaimPaymentNum; ClinicNum; InsSubNum; Status; PayPlanNum; "
        "ClaimPaymentNum,Status,InsPayAmt; ProvNum,ProcDate; ProvNum,DateCP; ClaimPaymentTracking; "
        "SecUserNumEntry; ProcNum,PlanNum,Status,InsPayAmt,InsPayEst,WriteOff,NoBillIns; DateCP; "
        "DateSuppReceived; Status,PatNum,DateCP,PayPlanNum,InsPayAmt,WriteOff,InsPayEst,ProcDate,ProcNum; "
        "InsSubNum,ProcNum,Status,ProcDate,PatNum,InsPayAmt,InsPayEst; "
        "ClaimNum,ClaimPaymentNum,InsPayAmt,DateCP,IsTransfer; SecDateTEdit,PatNum"
    ),
)
