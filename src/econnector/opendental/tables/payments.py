"""Payments, plans and what the card processors answered."""

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
    mediumtext,
    real,
    single,
    stamp,
    table,
    text,
    tiny,
    utiny,
    varchar,
)

payment = table(
    "payment",
    key("PayNum"),
    big("PayType"),  # definition.DefNum
    date("PayDate", ZERO),
    real("PayAmt", 0),
    varchar("CheckNum", 25, ""),
    varchar("BankBranch", 25, ""),
    text("PayNote"),
    utiny("IsSplit", 0),
    big("PatNum"),  # patient.PatNum
    big("ClinicNum"),  # clinic.ClinicNum
    date("DateEntry", MIN),
    big("DepositNum"),  # deposit.DepositNum
    text("Receipt"),
    tiny("IsRecurringCC"),
    big("SecUserNumEntry"),  # userod.UserNum
    stamp("SecDateTEdit"),
    tiny("PaymentSource"),  # enum CreditCardSource
    tiny("ProcessStatus"),  # enum ProcessStat
    date("RecurringChargeDate", MIN),
    varchar("ExternalId", 255),
    tiny("PaymentStatus"),  # enum PaymentStatus
    later("22.1.7", tiny("IsCcCompleted")),
    later("23.1.16", real("MerchantFee")),
    keys="PatNum; DepositNum; SecUserNumEntry; ClinicNum; PayType; ProcessStatus",
)

paysplit = table(
    "paysplit",
    key("SplitNum"),
    real("SplitAmt", 0),
    big("PatNum"),  # patient.PatNum
    date("ProcDate", ZERO),
    big("PayNum"),  # payment.PayNum
    utiny("IsDiscount", 0),
    utiny("DiscountType", 0),
    big("ProvNum"),  # provider.ProvNum
    big("PayPlanNum"),  # payplan.PayPlanNum
    date("DatePay", MIN),
    big("ProcNum"),  # procedurelog.ProcNum
    date("DateEntry", MIN),
    big("UnearnedType"),  # definition.DefNum
    big("ClinicNum"),  # clinic.ClinicNum
    big("SecUserNumEntry"),  # userod.UserNum
    stamp("SecDateTEdit"),
    big("FSplitNum"),
    big("AdjNum"),  # adjustment.AdjNum
    big("PayPlanChargeNum"),  # payplancharge.PayPlanChargeNum
    later("21.2.1", tiny("PayPlanDebitType")),  # enum PayPlanDebitTypes
    later("21.4.1", varchar("SecurityHash", 255)),
    keys=(
        "PatNum; ProcNum; PayNum; ClinicNum; DatePay; PayPlanNum; SecUserNumEntry; FSplitNum; ProcNum,SplitAmt; "
        "AdjNum; PayPlanChargeNum; ProvNum; SecDateTEdit,PatNum"
    ),
)

adjustment = table(
    "adjustment",
    key("AdjNum"),
    date("AdjDate", MIN),
    real("AdjAmt", 0),
    big("PatNum"),  # patient.PatNum
    big("AdjType"),  # definition.DefNum
    big("ProvNum"),  # provider.ProvNum
    text("AdjNote", null=True),
    date("ProcDate", MIN),
    big("ProcNum"),  # procedurelog.ProcNum
    date("DateEntry", MIN),
    big("ClinicNum"),  # clinic.ClinicNum
    big("StatementNum"),  # statement.StatementNum
    big("SecUserNumEntry"),  # userod.UserNum
    stamp("SecDateTEdit"),
    big("TaxTransID"),
    keys=(
        "PatNum; ClinicNum; StatementNum; ProcNum; ProvNum; SecUserNumEntry; ProcNum,AdjAmt; AdjDate,PatNum; "
        "TaxTransID; SecDateTEdit,PatNum"
    ),
)

payplan = table(
    "payplan",
    key("PayPlanNum"),
    big("PatNum"),  # patient.PatNum
    big("Guarantor"),  # patient.PatNum
    date("PayPlanDate", ZERO),
    real("APR", 0),
    text("Note", null=True),
    big("PlanNum"),  # insplan.PlanNum
    real("CompletedAmt"),
    big("InsSubNum"),  # inssub.InsSubNum
    tiny("PaySchedule"),  # enum PaymentSchedule
    integer("NumberOfPayments"),
    real("PayAmt"),
    real("DownPayment"),
    tiny("IsClosed"),
    text("Signature"),
    tiny("SigIsTopaz"),
    big("PlanCategory"),  # definition.DefNum
    tiny("IsDynamic"),
    tiny("ChargeFrequency"),  # enum PayPlanFrequency
    date("DatePayPlanStart", MIN),
    tiny("IsLocked"),
    date("DateInterestStart", MIN),
    tiny("DynamicPayPlanTPOption"),  # enum DynamicPayPlanTPOptions
    later("21.3.3", big("MobileAppDeviceNum")),
    later("21.4.7", varchar("SecurityHash", 255)),
    keys="InsSubNum; PlanCategory; PatNum; Guarantor; PlanNum; MobileAppDeviceNum",
)

payplancharge = table(
    "payplancharge",
    key("PayPlanChargeNum"),
    big("PayPlanNum"),  # payplan.PayPlanNum
    big("Guarantor"),  # patient.PatNum
    big("PatNum"),  # patient.PatNum
    date("ChargeDate", MIN),
    real("Principal", 0),
    real("Interest", 0),
    text("Note", null=True),
    big("ProvNum"),  # provider.ProvNum
    big("ClinicNum"),  # clinic.ClinicNum
    tiny("ChargeType"),  # enum PayPlanChargeType
    big("ProcNum"),  # procedurelog.ProcNum
    datetime("SecDateTEntry", MIN_TIME),
    stamp("SecDateTEdit"),
    big("StatementNum"),  # statement.StatementNum
    big("FKey"),
    tiny("LinkType"),  # enum PayPlanLinkType
    later("21.2.1", tiny("IsOffset")),
    keys="PatNum; Guarantor; PayPlanNum; ClinicNum; ProcNum; StatementNum; FKey; SecDateTEdit,PatNum",
)

installmentplan = table(
    "installmentplan",
    key("InstallmentPlanNum"),
    big("PatNum"),  # patient.PatNum
    date("DateAgreement", MIN),
    date("DateFirstPayment", MIN),
    real("MonthlyPayment"),
    single("APR"),
    varchar("Note", 255),
    keys="PatNum",
)

creditcard = table(
    "creditcard",
    key("CreditCardNum"),
    big("PatNum"),  # patient.PatNum
    varchar("Address", 255, null=True),
    varchar("Zip", 255, null=True),
    varchar("XChargeToken", 255, null=True),
    varchar("CCNumberMasked", 255, null=True),
    date("CCExpiration", MIN),
    integer("ItemOrder"),
    real("ChargeAmt"),
    date("DateStart", MIN),
    date("DateStop", MIN),
    varchar("Note", 255),
    big("PayPlanNum"),  # payplan.PayPlanNum
    varchar("PayConnectToken", 255),
    date("PayConnectTokenExp", MIN),
    text("Procedures"),
    tiny("CCSource"),  # enum CreditCardSource
    big("ClinicNum"),  # clinic.ClinicNum
    tiny("ExcludeProcSync"),
    varchar("PaySimpleToken", 255),
    varchar("ChargeFrequency", 150),
    tiny("CanChargeWhenNoBal"),
    big("PaymentType"),  # definition.DefNum
    tiny("IsRecurringActive"),
    later("23.1.0", varchar("Nickname", 255)),
    keys="PatNum; PayPlanNum; ClinicNum; PaymentType",
)

xwebresponse = table(
    "xwebresponse",
    key("XWebResponseNum"),
    big("PatNum"),  # patient.PatNum
    big("ProvNum"),  # provider.ProvNum
    big("ClinicNum"),  # clinic.ClinicNum
    big("PaymentNum"),  # payment.PayNum
    datetime("DateTEntry", MIN_TIME),
    datetime("DateTUpdate", MIN_TIME),
    tiny("TransactionStatus"),  # enum XWebTransactionStatus
    integer("ResponseCode"),
    varchar("XWebResponseCode", 255),  # enum* XWebResponseCodes
    varchar("ResponseDescription", 255),
    varchar("OTK", 255),
    text("HpfUrl"),
    datetime("HpfExpiration", MIN_TIME),
    varchar("TransactionID", 255),
    varchar("TransactionType", 255),
    varchar("Alias", 255),
    varchar("CardType", 255),
    varchar("CardBrand", 255),
    varchar("CardBrandShort", 255),
    varchar("MaskedAcctNum", 255),
    real("Amount"),
    varchar("ApprovalCode", 255),
    varchar("CardCodeResponse", 255),
    integer("ReceiptID"),
    varchar("ExpDate", 255),
    varchar("EntryMethod", 255),
    varchar("ProcessorResponse", 255),
    integer("BatchNum"),
    real("BatchAmount"),
    date("AccountExpirationDate", MIN),
    text("DebugError"),
    text("PayNote"),
    tiny("CCSource"),  # enum CreditCardSource
    varchar("OrderId", 255),
    later("21.3.1", varchar("EmailResponse", 255)),
    later("21.4.4", varchar("LogGuid", 36, null=True)),
    keys="PatNum; ProvNum; ClinicNum; PaymentNum; DateTUpdate",
)

payconnectresponseweb = table(
    "payconnectresponseweb",
    key("PayConnectResponseWebNum"),
    big("PatNum"),  # patient.PatNum
    big("PayNum"),  # payment.PayNum
    varchar("AccountToken", 255),
    varchar("PaymentToken", 255),
    varchar("ProcessingStatus", 255),  # enum* PayConnectWebStatus
    datetime("DateTimeEntry", MIN_TIME),
    datetime("DateTimePending", MIN_TIME),
    datetime("DateTimeCompleted", MIN_TIME),
    datetime("DateTimeExpired", MIN_TIME),
    datetime("DateTimeLastError", MIN_TIME),
    text("LastResponseStr"),
    tiny("CCSource"),  # enum CreditCardSource
    real("Amount"),
    varchar("PayNote", 255),
    tiny("IsTokenSaved"),
    varchar("PayToken", 255),
    varchar("ExpDateToken", 255),
    varchar("RefNumber", 255),
    varchar("TransType", 255),
    later("21.3.1", varchar("EmailResponse", 255)),
    later("21.4.4", varchar("LogGuid", 36, null=True)),
    keys="PatNum; PayNum",
)

repeatcharge = table(
    "repeatcharge",
    key("RepeatChargeNum"),
    big("PatNum"),  # patient.PatNum
    varchar("ProcCode", 15, null=True),  # procedurecode.ProcCode
    real("ChargeAmt", 0),
    date("DateStart", MIN),
    date("DateStop", MIN),
    text("Note", null=True),
    tiny("CopyNoteToProc"),
    tiny("CreatesClaim"),
    tiny("IsEnabled"),
    tiny("UsePrepay"),
    text("Npi"),
    text("ErxAccountId"),
    text("ProviderName"),
    real("ChargeAmtAlt"),
    varchar("UnearnedTypes", 4000),
    later("24.2.1", tiny("Frequency", 0)),  # enum EnumRepeatChargeFrequency
    keys="PatNum",
)

famaging = table(
    "famaging",
    key("PatNum"),  # patient.PatNum
    real("Bal_0_30"),
    real("Bal_31_60"),
    real("Bal_61_90"),
    real("BalOver90"),
    real("InsEst"),
    real("BalTotal"),
    real("PayPlanDue"),
)

tsitranslog = table(
    "tsitranslog",
    key("TsiTransLogNum"),
    big("PatNum"),  # patient.PatNum
    big("UserNum"),  # userod.UserNum
    tiny("TransType"),  # enum TsiTransType
    datetime("TransDateTime", MIN_TIME),
    tiny("ServiceType"),  # enum TsiServiceType
    tiny("ServiceCode"),  # enum TsiServiceCode
    real("TransAmt"),
    real("AccountBalance"),
    tiny("FKeyType"),  # enum TsiFKeyType
    big("FKey"),
    varchar("RawMsgText", 1000),
    varchar("ClientId", 25),
    mediumtext("TransJson"),
    big("ClinicNum"),  # clinic.ClinicNum
    big("AggTransLogNum"),  # tsitranslog.TransLogNum
    keys="PatNum; UserNum; FKey,FKeyType; ClinicNum; AggTransLogNum",
)
