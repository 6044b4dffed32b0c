"""Pictures and papers in the image store: some for the portal, some not, and the cases that catch careless readers."""

import datetime as dt
from functools import partial

from econnector.demo.practice.papers import STATEMENTS, add_document
from econnector.demo.practice.people import Family, File, Making, Person
from econnector.demo.practice.pictures import photograph, radiograph

__all__ = ["LETTERS", "PHOTOS", "add_images", "misplace"]

LETTERS, PANORAMIC, PHOTOS = 135, 181, 182
RADIOGRAPH, PHOTO = 1, 2


def add_images(making: Making, first: Family) -> None:
    """Add pictures to the first sample and to one patient in five; of the panoramic X-rays none is for the portal."""
    for number, family in enumerate(making.families):
        for person in family.seen:
            if person in first.people[:3] or making.chance(20):
                _picture(making, person, PHOTOS, "Before treatment", number)
            if making.chance(15):
                _picture(making, person, PANORAMIC, "Panoramic", number)
    head = first.head
    _picture(making, head, LETTERS, "Bite, for you to keep", 2)
    created = dt.datetime.combine(making.day(70), dt.time(11))
    slot, path = add_document(making, head, PHOTOS, "A slot of a mount", ".png", created, kind=PHOTO)
    making.files.append(File(path, partial(photograph, 3)))
    making.book.rows("document")[slot - 1]["MountItemNum"] = 1
    old = created - dt.timedelta(days=440)  # the last of the list: it cannot be opened from here
    elsewhere, _ = add_document(making, head, LETTERS, "Kept at Dropbox", ".png", old)
    making.book.rows("document")[elsewhere - 1] |= {"ExternalSource": "Dropbox", "ExternalGUID": "id:a4ayc_80"}


def _picture(making: Making, person: Person, category: int, text: str, seed: int) -> None:
    kind = PHOTO if category == PHOTOS else RADIOGRAPH
    created = dt.datetime.combine(making.day(making.dice.randrange(10, 500)), dt.time(10, making.dice.randrange(60)))
    _, path = add_document(making, person, category, text, ".png", created, kind=kind)
    draw = photograph if kind == PHOTO else radiograph
    making.files.append(File(path, partial(draw, seed % 4)))


def misplace(making: Making, gone: Family, mixed: Family) -> None:
    """Lose the file of one family's oldest statement, and write another's in letters of another case.

    Windows finds a file whatever the case of its name; the name in `document.FileName` stays as it was.
    """
    lost, other = _oldest(making, gone.head), _oldest(making, mixed.head)
    for place, file in enumerate(making.files):
        if file.path.endswith("/" + other):
            folder, _, name = file.path.rpartition("/")
            making.files[place] = File(f"{folder}/{name.swapcase()}", file.make)
    making.files[:] = [file for file in making.files if not file.path.endswith("/" + lost)]


def _oldest(making: Making, person: Person) -> str:
    rows = [
        row
        for row in making.book.rows("document")
        if row["PatNum"] == person.number and row["DocCategory"] == STATEMENTS and row["Description"] == "Statement"
    ]
    return str(min(rows, key=lambda row: str(row["DateCreated"]))["FileName"])
