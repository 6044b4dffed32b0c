"""The Code System Importer: files of codes into Open Dental's tables.

- `terms.py`      whose terms must be accepted, and their words
- `source.py`     a file as it comes: plain or zipped, its lines, its checksum
- `lines.py`      a line as a row, or why it is none
- `seen.py`       which codes a file has named so far, in little memory
- `importing.py`  one import, from its first line or from where it was cut off
- `importer.py`   what a person does with it: list, check, import, cancel
- `shipped/`      the few systems whose content may be shipped
"""
