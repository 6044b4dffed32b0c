"""What a care summary tells of one person, read from Open Dental's tables.

- `records.py`  the shapes: one Struct per kind of row, with the codes that stand behind its words
- `header.py`   who it is about, who made it, who keeps it
- `clinical.py`, `care.py`  what the sections tell
- `read.py`     all of it: `read(connection, schema, patient, period)`
- `missing.py`  what must be recorded before there can be one
"""
