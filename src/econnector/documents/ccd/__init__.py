"""The care summary as a document: HL7's C-CDA (R2.1 and 3.0), a page, a PDF, all from the same rows.

- `oids.py`      the numbers of HL7's templates and code systems
- `elements.py`  making CDA's elements: ids, times, codes, quantities, null flavours
- `people.py`    names, addresses, phones
- `narrative.py` what is read: `Told`, one per section, made from the same rows as the entries
- `words.py`     the words of it, English and Spanish
- `writing.py`   what the sections share: language, ids, providers, the form of a section
- `header.py`    the document's header
- one module per section: `allergies.py`, `problems.py`, …: template, narrative and entries side by side
- `document.py`  `build(summary)`: the XML; `told(summary, language)`: what is read
- `page.py`, `pdf.py`  the same for a browser and for paper
"""
