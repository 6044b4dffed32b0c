"""The Code System Importer: files of codes into Open Dental's tables.

- `terms.py`      whose terms must be accepted, and their words
- `source.py`     a file as it comes: plain or zipped, its lines, its checksum
- `published.py`  files in their publisher's own form, written anew with tabs
- `packaged.py`   ICD-10-CM out of a Python package that somebody has installed
- `lines.py`      a line as a row, or why it is none
- `seen.py`       which codes a file has named so far, in little memory
- `transfer.py`   bytes from an address into a file, in one try
- `fetching.py`   the same over as many tries and processes as it takes
- `importing.py`  one import, from its first line or from where it was cut off
- `job.py`        download and import as one, and whoever cancels it
- `offers.py`     which versions HQ offers
- `importer.py`   what a person does with it: list, check, import, cancel
- `summaries.py`  what care summaries need of it, as steps
- `words.py`      how an import stands, in Open Dental's words
- `open.py`       the importer of the practice that the settings name
- `shipped/`      the few systems whose content may be shipped
"""
