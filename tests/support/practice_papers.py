"""What the small practice (`practice.py`) has of payments and of images that patients may see."""

import datetime as dt
from pathlib import Path

from sqlalchemy import Connection, update

from econnector.opendental import tables, writes
from econnector.opendental.schema import Schema

__all__ = ["IMAGES", "OWN", "PAYMENTS", "PNG", "PORTAL_ONLY", "fill_papers", "write_pictures"]

MARIA, LUIS, ANA, BEN, STEFAN, OTTO, ROSA, GRETA, MERGED = 11, 12, 13, 14, 20, 21, 31, 41, 51
PORTAL_ONLY = 903
"""The image category with L and nothing else."""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
IMAGES: list[tuple[int, int, int, str, str, int]] = [
    # number, whose, category, created, file name, ImgType
    (820, MARIA, PORTAL_ONLY, "2025-11-20 10:00:00", "Maria820.png", 1),
    (821, MARIA, PORTAL_ONLY, "2025-11-21 10:00:00", "Maria821.docx", 0),  # neither PDF nor picture
    (822, LUIS, PORTAL_ONLY, "2025-11-22 10:00:00", "Luis822.JPG", 2),
    (823, OTTO, PORTAL_ONLY, "2025-11-23 10:00:00", "Otto823.png", 0),
    (824, GRETA, PORTAL_ONLY, "2025-11-24 10:00:00", "Greta824.png", 2),
    (825, MERGED, PORTAL_ONLY, "2025-11-25 10:00:00", "Merged825.png", 2),
    (826, BEN, PORTAL_ONLY, "2025-11-26 10:00:00", "Ben826.png", 2),
    (827, MARIA, 905, "2025-11-27 10:00:00", "Maria827.png", 2),  # a hidden category
]
PAYMENTS: list[tuple[int, int, str, float, int, int, dict[int, float]]] = [
    # number, payer, day, amount, ProcessStatus, PaymentStatus, for whom
    (600, MARIA, "2025-10-02", 75.5, 0, 0, {MARIA: 50.0, LUIS: 25.5}),
    (601, MARIA, "2025-12-30", 40.0, 2, 0, {MARIA: 40.0}),
    (602, LUIS, "2025-11-02", 20.0, 0, 3, {LUIS: 20.0}),
    (603, MARIA, "2025-11-03", 0.0, 0, 0, {MARIA: -10.0, ANA: 10.0}),  # a transfer
    (604, MARIA, "2025-09-01", -12.0, 0, 0, {MARIA: -12.0}),
    (605, GRETA, "2025-11-05", 99.0, 0, 0, {GRETA: 60.0, MARIA: 39.0}),
    (606, STEFAN, "2025-11-06", 98.0, 0, 0, {OTTO: 98.0}),
]
OWN = {MARIA: 100.0, LUIS: 60.25, ANA: 10.1, ROSA: 75.0, OTTO: 300.0, STEFAN: 600.0}


def fill_papers(connection: Connection, schema: Schema) -> None:
    """Write payments, images, and everybody's own balance."""
    hidden = {"DefNum": 905, "Category": 18, "ItemName": "hidden", "ItemValue": "L", "IsHidden": 1}
    writes.insert(connection, schema, tables.definition, hidden)
    kind = {"DefNum": 906, "Category": 10, "ItemName": "Mailed check", "ItemValue": ""}
    writes.insert(connection, schema, tables.definition, kind)
    for person, own in OWN.items():
        connection.execute(update(tables.patient).where(tables.patient.c.PatNum == person).values(EstBalance=own))
    for number, person, category, created, name, image in IMAGES:
        values = {
            "DocNum": number,
            "PatNum": person,
            "DocCategory": category,
            "DateCreated": dt.datetime.fromisoformat(created),
            "Description": "" if number == 822 else f"Picture {number}",
            "FileName": name,
            "ImgType": image,
        }
        writes.insert(connection, schema, tables.document, values)
    for number, payer, day, amount, status, transfer, shares in PAYMENTS:
        values = {"PayNum": number, "PatNum": payer, "PayDate": dt.date.fromisoformat(day), "PayAmt": amount}
        more = {"ProcessStatus": status, "PaymentStatus": transfer, "PayType": 906, "PayNote": "staff only"}
        writes.insert(connection, schema, tables.payment, values | more | {"CheckNum": "77" if number == 600 else ""})
        for person, share in shares.items():
            writes.insert(connection, schema, tables.paysplit, {"PayNum": number, "PatNum": person, "SplitAmt": share})


def write_pictures(root: Path) -> None:
    """Write the images' files below `root`."""
    for number, person, _, _, name, _ in IMAGES:
        folder = root / name[0] / f"{name.partition(str(number))[0]}{person}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)
