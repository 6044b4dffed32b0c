"""Laboratory, prescriptions, referrals and what EHR reporting keeps."""

from econnector.opendental.tables.columns import (
    MIN,
    MIN_TIME,
    ZERO,
    big,
    date,
    datetime,
    integer,
    key,
    later,
    longtext,
    real,
    single,
    small,
    stamp,
    table,
    text,
    time,
    tiny,
    usmall,
    utiny,
    varchar,
)

encounter = table(
    "encounter",
    key("EncounterNum"),
    big("PatNum"),  # patient.PatNum
    big("ProvNum"),  # provider.ProvNum
    varchar("CodeValue", 30),  # ehrcode.CodeValue
    varchar("CodeSystem", 30),  # codesystem.CodeSystemName
    text("Note"),
    date("DateEncounter", MIN),
    keys="PatNum; ProvNum; CodeValue",
)

ehrcareplan = table(
    "ehrcareplan",
    key("EhrCarePlanNum"),
    big("PatNum"),  # patient.PatNum
    varchar("SnomedEducation", 255),
    varchar("Instructions", 255),
    date("DatePlanned", MIN),
    keys="PatNum",
)

vitalsign = table(
    "vitalsign",
    key("VitalsignNum"),
    big("PatNum"),  # patient.PatNum
    single("Height"),
    single("Weight"),
    small("BpSystolic"),
    small("BpDiastolic"),
    date("DateTaken", MIN),
    tiny("HasFollowupPlan"),
    tiny("IsIneligible"),
    text("Documentation"),
    tiny("ChildGotNutrition"),
    tiny("ChildGotPhysCouns"),
    varchar("WeightCode", 255),
    varchar("HeightExamCode", 30),  # ehrcode.CodeValue
    varchar("WeightExamCode", 30),  # ehrcode.CodeValue
    varchar("BMIExamCode", 30),  # ehrcode.CodeValue
    big("EhrNotPerformedNum"),  # ehrnotperformed.EhrNotPerformedNum
    big("PregDiseaseNum"),  # disease.DiseaseNum
    integer("BMIPercentile"),
    integer("Pulse"),
    keys="PatNum; WeightCode; EhrNotPerformedNum; PregDiseaseNum",
)

ehrlab = table(
    "ehrlab",
    key("EhrLabNum"),
    big("PatNum"),  # patient.PatNum
    varchar("OrderControlCode", 255),
    varchar("PlacerOrderNum", 255),
    varchar("PlacerOrderNamespace", 255),
    varchar("PlacerOrderUniversalID", 255),
    varchar("PlacerOrderUniversalIDType", 255),
    varchar("FillerOrderNum", 255),
    varchar("FillerOrderNamespace", 255),
    varchar("FillerOrderUniversalID", 255),
    varchar("FillerOrderUniversalIDType", 255),
    varchar("PlacerGroupNum", 255),
    varchar("PlacerGroupNamespace", 255),
    varchar("PlacerGroupUniversalID", 255),
    varchar("PlacerGroupUniversalIDType", 255),
    varchar("OrderingProviderID", 255),
    varchar("OrderingProviderLName", 255),
    varchar("OrderingProviderFName", 255),
    varchar("OrderingProviderMiddleNames", 255),
    varchar("OrderingProviderSuffix", 255),
    varchar("OrderingProviderPrefix", 255),
    varchar("OrderingProviderAssigningAuthorityNamespaceID", 255),
    varchar("OrderingProviderAssigningAuthorityUniversalID", 255),
    varchar("OrderingProviderAssigningAuthorityIDType", 255),
    varchar("OrderingProviderNameTypeCode", 255),
    varchar("OrderingProviderIdentifierTypeCode", 255),
    big("SetIdOBR"),
    varchar("UsiID", 255),
    varchar("UsiText", 255),
    varchar("UsiCodeSystemName", 255),
    varchar("UsiIDAlt", 255),
    varchar("UsiTextAlt", 255),
    varchar("UsiCodeSystemNameAlt", 255),
    varchar("UsiTextOriginal", 255),
    varchar("ObservationDateTimeStart", 255),
    varchar("ObservationDateTimeEnd", 255),
    varchar("SpecimenActionCode", 255),
    varchar("ResultDateTime", 255),
    varchar("ResultStatus", 255),
    varchar("ParentObservationID", 255),
    varchar("ParentObservationText", 255),
    varchar("ParentObservationCodeSystemName", 255),
    varchar("ParentObservationIDAlt", 255),
    varchar("ParentObservationTextAlt", 255),
    varchar("ParentObservationCodeSystemNameAlt", 255),
    varchar("ParentObservationTextOriginal", 255),
    varchar("ParentObservationSubID", 255),
    varchar("ParentPlacerOrderNum", 255),
    varchar("ParentPlacerOrderNamespace", 255),
    varchar("ParentPlacerOrderUniversalID", 255),
    varchar("ParentPlacerOrderUniversalIDType", 255),
    varchar("ParentFillerOrderNum", 255),
    varchar("ParentFillerOrderNamespace", 255),
    varchar("ParentFillerOrderUniversalID", 255),
    varchar("ParentFillerOrderUniversalIDType", 255),
    tiny("ListEhrLabResultsHandlingF"),
    tiny("ListEhrLabResultsHandlingN"),
    big("TQ1SetId"),
    varchar("TQ1DateTimeStart", 255),
    varchar("TQ1DateTimeEnd", 255),
    tiny("IsCpoe"),
    text("OriginalPIDSegment"),
    keys="PatNum; SetIdOBR; TQ1SetId",
)

ehrlabresult = table(
    "ehrlabresult",
    key("EhrLabResultNum"),
    big("EhrLabNum"),  # ehrlab.EhrLabNum
    big("SetIdOBX"),
    varchar("ValueType", 255),
    varchar("ObservationIdentifierID", 255),
    varchar("ObservationIdentifierText", 255),
    varchar("ObservationIdentifierCodeSystemName", 255),
    varchar("ObservationIdentifierIDAlt", 255),
    varchar("ObservationIdentifierTextAlt", 255),
    varchar("ObservationIdentifierCodeSystemNameAlt", 255),
    varchar("ObservationIdentifierTextOriginal", 255),
    varchar("ObservationIdentifierSub", 255),
    varchar("ObservationValueCodedElementID", 255),
    varchar("ObservationValueCodedElementText", 255),
    varchar("ObservationValueCodedElementCodeSystemName", 255),
    varchar("ObservationValueCodedElementIDAlt", 255),
    varchar("ObservationValueCodedElementTextAlt", 255),
    varchar("ObservationValueCodedElementCodeSystemNameAlt", 255),
    varchar("ObservationValueCodedElementTextOriginal", 255),
    varchar("ObservationValueDateTime", 255),
    time("ObservationValueTime", "00:00:00"),
    varchar("ObservationValueComparator", 255),
    real("ObservationValueNumber1"),
    varchar("ObservationValueSeparatorOrSuffix", 255),
    real("ObservationValueNumber2"),
    real("ObservationValueNumeric"),
    varchar("ObservationValueText", 255),
    varchar("UnitsID", 255),
    varchar("UnitsText", 255),
    varchar("UnitsCodeSystemName", 255),
    varchar("UnitsIDAlt", 255),
    varchar("UnitsTextAlt", 255),
    varchar("UnitsCodeSystemNameAlt", 255),
    varchar("UnitsTextOriginal", 255),
    varchar("referenceRange", 255),
    varchar("AbnormalFlags", 255),
    varchar("ObservationResultStatus", 255),
    varchar("ObservationDateTime", 255),
    varchar("AnalysisDateTime", 255),
    varchar("PerformingOrganizationName", 255),
    varchar("PerformingOrganizationNameAssigningAuthorityNamespaceId", 255),
    varchar("PerformingOrganizationNameAssigningAuthorityUniversalId", 255),
    varchar("PerformingOrganizationNameAssigningAuthorityUniversalIdType", 255),
    varchar("PerformingOrganizationIdentifierTypeCode", 255),
    varchar("PerformingOrganizationIdentifier", 255),
    varchar("PerformingOrganizationAddressStreet", 255),
    varchar("PerformingOrganizationAddressOtherDesignation", 255),
    varchar("PerformingOrganizationAddressCity", 255),
    varchar("PerformingOrganizationAddressStateOrProvince", 255),
    varchar("PerformingOrganizationAddressZipOrPostalCode", 255),
    varchar("PerformingOrganizationAddressCountryCode", 255),
    varchar("PerformingOrganizationAddressAddressType", 255),
    varchar("PerformingOrganizationAddressCountyOrParishCode", 255),
    varchar("MedicalDirectorID", 255),
    varchar("MedicalDirectorLName", 255),
    varchar("MedicalDirectorFName", 255),
    varchar("MedicalDirectorMiddleNames", 255),
    varchar("MedicalDirectorSuffix", 255),
    varchar("MedicalDirectorPrefix", 255),
    varchar("MedicalDirectorAssigningAuthorityNamespaceID", 255),
    varchar("MedicalDirectorAssigningAuthorityUniversalID", 255),
    varchar("MedicalDirectorAssigningAuthorityIDType", 255),
    varchar("MedicalDirectorNameTypeCode", 255),
    varchar("MedicalDirectorIdentifierTypeCode", 255),
    keys="EhrLabNum; SetIdOBX",
)

ehrmeasureevent = table(
    "ehrmeasureevent",
    key("EhrMeasureEventNum"),
    datetime("DateTEvent", MIN_TIME),
    tiny("EventType"),  # enum EhrMeasureEventType
    big("PatNum"),  # patient.PatNum
    varchar("MoreInfo", 255),
    varchar("CodeValueEvent", 30),
    varchar("CodeSystemEvent", 30),
    varchar("CodeValueResult", 30),
    varchar("CodeSystemResult", 30),
    big("FKey"),
    utiny("TobaccoCessationDesire"),
    date("DateStartTobacco", MIN),
    keys="PatNum; CodeValueEvent; CodeValueResult; FKey",
)

ehrsummaryccd = table(
    "ehrsummaryccd",
    key("EhrSummaryCcdNum"),
    big("PatNum"),  # patient.PatNum
    date("DateSummary", MIN),
    longtext("ContentSummary"),
    big("EmailAttachNum"),  # emailattach.EmailAttachNum
    keys="PatNum; EmailAttachNum",
)

rxpat = table(
    "rxpat",
    key("RxNum"),
    big("PatNum"),  # patient.PatNum
    date("RxDate", ZERO),
    varchar("Drug", 255, ""),
    varchar("Sig", 255, ""),
    varchar("Disp", 255, ""),
    varchar("Refills", 30, ""),
    big("ProvNum"),  # provider.ProvNum
    varchar("Notes", 255, ""),
    big("PharmacyNum"),  # pharmacy.PharmacyNum
    tiny("IsControlled"),
    stamp("DateTStamp"),
    tiny("SendStatus"),  # enum RxSendStatus
    big("RxCui"),
    varchar("DosageCode", 255),
    varchar("ErxGuid", 40),
    tiny("IsErxOld"),
    varchar("ErxPharmacyInfo", 255),
    tiny("IsProcRequired"),
    big("ProcNum"),
    real("DaysOfSupply", null=True),
    text("PatientInstruction"),
    big("ClinicNum"),  # clinic.ClinicNum
    big("UserNum"),  # userod.UserNum
    tiny("RxType"),  # enum RxTypes
    keys="RxCui; ProcNum; ClinicNum; ProvNum; UserNum; PatNum,RxType",
)

referral = table(
    "referral",
    key("ReferralNum"),
    varchar("LName", 100, ""),
    varchar("FName", 100, ""),
    varchar("MName", 100, ""),
    varchar("SSN", 9, ""),
    utiny("UsingTIN", 0),
    big("Specialty"),  # definition.DefNum
    varchar("ST", 2, ""),
    varchar("Telephone", 10, ""),
    varchar("Address", 100, ""),
    varchar("Address2", 100, ""),
    varchar("City", 100, ""),
    varchar("Zip", 10, ""),
    text("Note", null=True),
    varchar("Phone2", 30, ""),
    utiny("IsHidden", 0),
    utiny("NotPerson", 0),
    varchar("Title", 255, ""),
    varchar("EMail", 255, ""),
    big("PatNum"),  # patient.PatNum
    varchar("NationalProvID", 255, null=True),
    big("Slip"),  # sheetdef.SheetDefNum
    tiny("IsDoctor"),
    tiny("IsTrustedDirect"),
    stamp("DateTStamp"),
    tiny("IsPreferred"),
    later("21.2.1", varchar("BusinessName", 255)),
    later("21.2.1", varchar("DisplayNote", 4000)),
)

refattach = table(
    "refattach",
    key("RefAttachNum"),
    big("ReferralNum"),  # referral.ReferralNum
    big("PatNum"),  # patient.PatNum
    usmall("ItemOrder", 0),
    date("RefDate", ZERO),
    tiny("RefType"),  # enum ReferralType
    utiny("RefToStatus"),  # enum ReferralToStatus
    text("Note", null=True),
    tiny("IsTransitionOfCare"),
    big("ProcNum"),  # procedurelog.ProcNum
    date("DateProcComplete", MIN),
    big("ProvNum"),  # provider.ProvNum
    stamp("DateTStamp"),
    keys="PatNum; ProcNum; ProvNum; ReferralNum",
)
