"""Images, statements and forms."""

from econnector.opendental.tables.columns import (
    MIN_TIME,
    big,
    date,
    datetime,
    grown,
    integer,
    key,
    later,
    mediumtext,
    real,
    single,
    small,
    stamp,
    table,
    text,
    tiny,
    utiny,
    varchar,
)

document = table(
    "document",
    key("DocNum"),
    varchar("Description", 255, ""),
    datetime("DateCreated"),
    big("DocCategory"),  # definition.DefNum
    big("PatNum"),  # patient.PatNum
    varchar("FileName", 255, ""),
    utiny("ImgType", 0),  # enum ImageType
    utiny("IsFlipped", 0),
    grown("21.4.1", single("DegreesRotated"), small("DegreesRotated")),
    varchar("ToothNumbers", 255, ""),
    mediumtext("Note"),
    utiny("SigIsTopaz"),
    text("Signature", null=True),
    integer("CropX"),
    integer("CropY"),
    integer("CropW"),
    integer("CropH"),
    integer("WindowingMin"),
    integer("WindowingMax"),
    big("MountItemNum"),  # mountitem.MountItemNum
    stamp("DateTStamp"),
    mediumtext("RawBase64"),
    text("Thumbnail"),
    varchar("ExternalGUID", 255),
    varchar("ExternalSource", 255),  # enum* ExternalSourceType
    big("ProvNum"),  # provider.ProvNum
    later("21.4.1", utiny("IsCropOld")),
    later("24.1.1", text("OcrResponseData")),
    later("24.1.1", tiny("ImageCaptureType", 0)),  # enum EnumOcrCaptureType
    later("24.1.18", tiny("PrintHeading")),
    keys="PatNum; PatNum,DocCategory; MountItemNum",
)

mount = table(
    "mount",
    key("MountNum"),
    big("PatNum"),  # patient.PatNum
    big("DocCategory"),  # definition.DefNum
    datetime("DateCreated", MIN_TIME),
    varchar("Description", 255),
    text("Note"),
    integer("Width"),
    integer("Height"),
    integer("ColorBack"),
    big("ProvNum"),  # provider.ProvNum
    later("21.4.1", integer("ColorFore")),
    later("21.4.1", integer("ColorTextBack")),
    later("22.2.1", tiny("FlipOnAcquire")),
    later("22.2.1", tiny("AdjModeAfterSeries")),
)

mountitem = table(
    "mountitem",
    key("MountItemNum"),
    big("MountNum"),  # mount.MountNum
    integer("Xpos"),
    integer("Ypos"),
    integer("ItemOrder"),
    integer("Width"),
    integer("Height"),
    integer("RotateOnAcquire"),
    varchar("ToothNumbers", 255),
    later("21.4.1", text("TextShowing")),
    later("21.4.1", single("FontSize")),
)

statement = table(
    "statement",
    key("StatementNum"),
    big("PatNum"),  # patient.PatNum
    date("DateSent"),
    date("DateRangeFrom"),
    date("DateRangeTo"),
    text("Note", null=True),
    text("NoteBold", null=True),
    utiny("Mode_"),  # enum StatementMode
    tiny("HidePayment"),
    tiny("SinglePatient"),
    tiny("Intermingled"),
    tiny("IsSent"),
    big("DocNum"),  # document.DocNum
    stamp("DateTStamp"),
    tiny("IsReceipt"),
    tiny("IsInvoice"),
    tiny("IsInvoiceCopy"),
    varchar("EmailSubject", 255),
    mediumtext("EmailBody"),
    big("SuperFamily"),  # patient.PatNum
    tiny("IsBalValid"),
    real("InsEst"),
    real("BalTotal"),
    varchar("StatementType", 50),  # enum* StmtType
    varchar("ShortGUID", 30),
    varchar("StatementShortURL", 50),
    varchar("StatementURL", 255),
    tiny("SmsSendStatus"),  # enum AutoCommStatus
    later("23.1.0", tiny("LimitedCustomFamily", 0)),  # enum EnumLimitedCustomFamily
    keys="PatNum; DocNum; SuperFamily,Mode_,DateSent; ShortGUID; IsSent",
)

stmtlink = table(
    "stmtlink",
    key("StmtLinkNum"),
    big("StatementNum"),  # statement.StatementNum
    tiny("StmtLinkType"),  # enum StmtLinkTypes
    big("FKey"),
    keys="StatementNum; StmtLinkType,FKey",
)

statementprod = table(
    "statementprod",
    key("StatementProdNum"),
    big("StatementNum"),  # statement.StatementNum
    big("FKey"),
    tiny("ProdType"),  # enum ProductionType
    big("LateChargeAdjNum"),  # adjustment.AdjNum
    big("DocNum"),  # document.DocNum
    keys="StatementNum; FKey; ProdType; LateChargeAdjNum; DocNum",
)

sheet = table(
    "sheet",
    key("SheetNum"),
    integer("SheetType"),  # enum SheetTypeEnum
    big("PatNum"),  # patient.PatNum
    datetime("DateTimeSheet", MIN_TIME),
    single("FontSize"),
    varchar("FontName", 255, null=True),
    integer("Width"),
    integer("Height"),
    tiny("IsLandscape"),
    text("InternalNote", null=True),
    varchar("Description", 255),
    tiny("ShowInTerminal"),
    tiny("IsWebForm"),
    tiny("IsMultiPage"),
    tiny("IsDeleted"),
    big("SheetDefNum"),  # sheetdef.SheetDefNum
    big("DocNum"),  # document.DocNum
    big("ClinicNum"),  # clinic.ClinicNum
    datetime("DateTSheetEdited", MIN_TIME),
    tiny("HasMobileLayout"),
    integer("RevID"),
    later("24.1.1", big("WebFormSheetID")),
    keys="PatNum; SheetDefNum; DocNum; ClinicNum; WebFormSheetID",
)

sheetfield = table(
    "sheetfield",
    key("SheetFieldNum"),
    big("SheetNum"),  # sheet.SheetNum
    integer("FieldType"),  # enum SheetFieldType
    varchar("FieldName", 255, null=True),
    text("FieldValue", null=True),
    single("FontSize"),
    varchar("FontName", 255, null=True),
    tiny("FontIsBold"),
    integer("XPos"),
    integer("YPos"),
    integer("Width"),
    integer("Height"),
    integer("GrowthBehavior"),  # enum GrowthBehaviorEnum
    varchar("RadioButtonValue", 255),
    varchar("RadioButtonGroup", 255),
    tiny("IsRequired"),
    integer("TabOrder"),
    varchar("ReportableName", 255, null=True),
    tiny("TextAlign"),
    integer("ItemColor", -16777216),
    datetime("DateTimeSig", MIN_TIME),
    tiny("IsLocked"),
    integer("TabOrderMobile"),
    text("UiLabelMobile"),
    text("UiLabelMobileRadioButton"),
    later("22.2.1", big("SheetFieldDefNum")),  # sheetfielddef.SheetFieldDefNum
    later("22.3.1", tiny("CanElectronicallySign")),
    later("22.3.1", tiny("IsSigProvRestricted")),
    keys="SheetNum; FieldType; SheetNum,FieldType; SheetFieldDefNum",
)

eform = table(
    "eform",
    key("EFormNum"),
    tiny("FormType"),  # enum EnumEFormType
    big("PatNum"),
    datetime("DateTimeShown", MIN_TIME),
    varchar("Description", 255),
    datetime("DateTEdited", MIN_TIME),
    later("24.2.28", integer("MaxWidth")),
    later("24.3.1", big("EFormDefNum")),
    later("24.3.1", tiny("Status")),  # enum EnumEFormStatus
    later("24.3.1", integer("RevID")),
    later("24.3.3", tiny("ShowLabelsBold")),
    later("24.3.3", integer("SpaceBelowEachField")),
    later("24.3.3", integer("SpaceToRightEachField")),
    later("24.3.7", big("SaveImageCategory")),  # definition.DefNum
    keys="PatNum",
    since="24.2.1",
)

eformfield = table(
    "eformfield",
    key("EFormFieldNum"),
    big("EFormNum"),
    big("PatNum"),
    tiny("FieldType"),  # enum EFormFieldType
    varchar("DbLink", 255),
    text("ValueLabel"),
    text("ValueString"),
    integer("ItemOrder"),
    varchar("PickListVis", 255),
    varchar("PickListDb", 255),
    tiny("IsHorizStacking"),
    tiny("IsTextWrap"),
    integer("Width"),
    integer("FontScale"),
    tiny("IsRequired"),
    varchar("ConditionalParent", 255),
    varchar("ConditionalValue", 255),
    later("24.2.18", tiny("LabelAlign")),  # enum EnumEFormLabelAlign
    later("24.2.23", integer("SpaceBelow")),
    later("24.2.23", varchar("ReportableName", 255)),
    later("24.2.23", tiny("IsLocked")),
    later("24.2.28", tiny("Border")),  # enum EnumEFormBorder
    later("24.2.28", tiny("IsWidthPercentage")),
    later("24.2.28", integer("MinWidth")),
    later("24.3.3", integer("WidthLabel")),
    later("24.3.3", integer("SpaceToRight")),
    keys="EFormNum; PatNum",
    since="24.2.1",
)
