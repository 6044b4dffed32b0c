"""What the practice does: procedure codes with plain names and fees, and the insurance plans that pay for some of it.

The numbers are those of Open Dental's own default rows (`procedurecode.CodeNum`); the descriptions are ours.
"""

import msgspec

from econnector.demo.practice.book import Book

__all__ = ["CODES", "PLANS", "Code", "Plan", "add_codes"]


class Code(msgspec.Struct, frozen=True):
    """One procedure code."""

    number: int
    """procedurecode.CodeNum."""
    code: str
    text: str
    short: str
    cents: int
    """The practice's fee."""
    share: str = "basic"
    """Which share insurance pays: preventive, basic or major."""
    hygiene: bool = False
    area: int = 3
    """procedurecode.TreatArea: 1 surface, 2 tooth, 3 mouth, 4 quadrant, 7 range of teeth."""


CODES = {
    code.code: code
    for code in (
        Code(35, "D0120", "Periodic exam", "PerEx", 65_00, "preventive"),
        Code(36, "D0140", "Problem-focused exam", "LimEx", 85_00, "preventive"),
        Code(38, "D0150", "First comprehensive exam", "CmpEx", 95_00, "preventive"),
        Code(42, "D0210", "Full set of X-rays", "FMX", 145_00),
        Code(43, "D0220", "Single X-ray", "PA", 32_00, area=2),
        Code(49, "D0272", "Bitewing X-rays, two", "2BW", 48_00, "preventive"),
        Code(51, "D0274", "Bitewing X-rays, four", "4BW", 72_00, "preventive"),
        Code(56, "D0330", "Panoramic X-ray", "Pano", 125_00),
        Code(88, "D1110", "Cleaning, adult", "Pro", 110_00, "preventive", hygiene=True),
        Code(89, "D1120", "Cleaning, child", "ProChild", 75_00, "preventive", hygiene=True),
        Code(611, "D1208", "Fluoride", "Flo", 38_00, "preventive", hygiene=True),
        Code(96, "D1351", "Sealant", "Seal", 55_00, "preventive", area=2),
        Code(107, "D2330", "White filling, front tooth", "C1", 165_00, area=1),
        Code(112, "D2391", "White filling, one surface", "C1(P)", 185_00, area=1),
        Code(113, "D2392", "White filling, two surfaces", "C2(P)", 235_00, area=1),
        Code(142, "D2740", "Ceramic crown", "AllCerCrn", 1_250_00, "major", area=2),
        Code(164, "D2950", "Core build-up", "BU", 285_00, "major", area=2),
        Code(188, "D3330", "Root canal, molar", "RCTMol", 1_150_00, area=2),
        Code(233, "D4341", "Deep cleaning, one quadrant", "SRP", 260_00, area=4),
        Code(237, "D4910", "Gum maintenance", "PerioMaint", 145_00, hygiene=True),
        Code(246, "D5213", "Upper partial denture, metal frame", "MaxRPD", 1_650_00, "major", area=7),
        Code(432, "D7140", "Extraction", "E", 195_00, area=2),
    )
}


class Plan(msgspec.Struct, frozen=True):
    """One insurance plan: what it allows of a fee, and what it pays of what it allows, in percent."""

    carrier: str
    group: str
    group_number: str
    allows: int
    pays: dict[str, int]


PLANS = (
    Plan(
        "Cascadia Dental Mutual",
        "Larkspur School District",
        "LSD-4471",
        80,
        {"preventive": 100, "basic": 80, "major": 50},
    ),
    Plan("Blue Heron Dental", "Wheatland Foods", "88210", 85, {"preventive": 100, "basic": 70, "major": 50}),
    Plan("Tamarack Life & Health", "Port of Larkspur", "TLH-0093", 100, {"preventive": 80, "basic": 50, "major": 0}),
)
"""Made-up carriers; `insplan.PlanNum` is the place in the list, from 1."""


def add_codes(book: Book) -> None:
    """Add the procedure codes (unless they are there), the carriers and the plans."""
    for code in CODES.values():
        book.refer(
            "procedurecode",
            "CodeNum",
            CodeNum=code.number,
            ProcCode=code.code,
            Descript=code.text,
            AbbrDesc=code.short,
            LaymanTerm=code.text,
            ProcTime="/XX/",
            ProcCat=73,
            TreatArea=code.area,
            IsHygiene=int(code.hygiene),
        )
    for plan in PLANS:
        carrier = book.add("carrier", "CarrierNum", CarrierName=plan.carrier, Phone="(800)555-0123", ElectID="00000")
        book.add(
            "insplan",
            "PlanNum",
            GroupName=plan.group,
            GroupNum=plan.group_number,
            CarrierNum=carrier,
            PlanType="p" if plan.allows < 100 else "",  # noqa: PLR2004 - a plan that allows less is a PPO
        )
