"""Names, streets and numbers for made-up people: plausible, various, and nobody's.

Telephone numbers are of the range that is kept free for fiction (555-0100 to 555-0199), mail addresses of the
domains kept free for examples (RFC 2606).
"""

import random
import unicodedata

__all__ = ["address", "email", "family_name", "first_name", "letters", "phone"]

FAMILY_NAMES = """
Abernathy Achterberg Adeyemi Alvarez Anderson Banerjee Begay Bianchi Blackwood Brandt Bui Castellano Castañeda Chen
Choi Cohen Dasgupta De_La_Cruz Delgado Dubois Ekström Esposito Fairweather Farouk Fernández Fitzgerald Foster
Garcia Goldberg Gonzales Greene Gutiérrez Hadley Hashimoto Hernandez Holloway Ibarra Ivanova Jackson Jefferson Johansson
Kapoor Kim Kowalczyk Larsen Lê Lindqvist MacGregor Martinez McAllister Mendoza Mitchell Morales Müller Nakagawa Nguyễn
Novak Núñez O'Brien O'Neill Okafor Ortega Park Patel Peña Petrov Quintero Ramos Reyes Robinson Rosenthal Saint-Clair
Sandoval Schmidt Sato Silva Singh Smith Smith-Jones Sullivan Takahashi Tran Vaughn Vega Villanueva Wang Washington
Whitehorse Williams Yamamoto Yilmaz Zhang Zimmermann
""".split()  # noqa: SIM905 - a block of text is read and extended more easily than a list

WOMEN = """
Abigail Aiko Alejandra Amelia Anh Anjali Beatriz Bich Camila Charlotte Chloë Daniela Deborah Elena Emily Esther Fatima
Grace Hana Hannah Inés Isabella Jasmine Jennifer Joy Karen Kavya Leilani Linh Lucía Madison Maria María_José Mei Mia
Michelle Nadia Natalie Nicole Olivia Patricia Priscilla Rachel Renée Rosa Ruth Samantha Siobhán Sofía Sophia Sunita
Tanisha Teresa Tiffany Valentina Victoria Wanda Ximena Yuki Yvonne Zoë
""".split()  # noqa: SIM905 - as above

MEN = """
Aaron Adrián Ahmed Alejandro Andre Anthony Arjun Benjamin Bradley Caleb Carlos Chao Christopher Daniel Darnell David
DeShawn Diego Dmitri Edward Elijah Emmanuel Ethan Felipe Gabriel George Haruto Henry Hiroshi Isaac Jacob James Javier
Jean-Luc Joaquín José Joseph Joshua Kenji Kevin Liam Logan Luis Marcus Mateo Matthew Miguel Minh Nathan Noah Oscar
Patrick Rajesh Ramón Robert Samuel Sean Sebastián Thomas Tuấn Tyler Víctor Vikram Walter Wei William Xavier Zachary
""".split()  # noqa: SIM905 - as above

STREETS = (
    "Alder Street",
    "Briar Lane",
    "Cannery Row",
    "Cedar Crest Drive",
    "Elderberry Court",
    "Foxglove Way",
    "Heron Landing",
    "Juniper Hill Road",
    "Kestrel Avenue",
    "Larkspur Boulevard",
    "Maple Street",
    "Old Mill Road",
    "Quarry Road",
    "Rose Street",
    "Sandpiper Circle",
    "Tamarack Terrace",
    "Wheatland Road",
)
CITIES = (("Juniper Falls", "97001"), ("Alderbrook", "97002"), ("Quarry Bend", "97003"), ("Port Larkspur", "97005"))
DOMAINS = ("example.com", "example.net", "example.org")


def family_name(dice: random.Random) -> str:
    """Return a family name."""
    return dice.choice(FAMILY_NAMES).replace("_", " ")


def first_name(dice: random.Random, *, woman: bool) -> str:
    """Return a given name."""
    return dice.choice(WOMEN if woman else MEN).replace("_", " ")


def letters(text: str) -> str:
    """Return only the letters of `text`, accents and all, as Open Dental builds folder and file names."""
    return "".join(letter for letter in text if letter.isalpha())


def email(dice: random.Random, first: str, last: str) -> str:
    """Return a mail address in plain letters."""
    plain = unicodedata.normalize("NFKD", f"{first} {last}").encode("ascii", "ignore").decode().lower()
    return ".".join(letters(part) for part in plain.split()) + "@" + dice.choice(DOMAINS)


def phone(dice: random.Random) -> str:
    """Return a telephone number that rings nowhere."""
    return f"({dice.choice((503, 541, 971))})555-01{dice.randrange(100):02d}"


def address(dice: random.Random) -> tuple[str, str, str, str]:
    """Return street, second line, city and ZIP code, all in Oregon."""
    city, code = dice.choice(CITIES)
    second = f"Apt {dice.randrange(1, 40)}" if not dice.randrange(4) else ""
    return f"{dice.randrange(10, 9900)} {dice.choice(STREETS)}", second, city, code
