"""What a care summary tells of one person, read from Open Dental's tables.

- `records.py`  the shapes: one Struct per kind of row, with the codes that stand behind its words
- `header.py`   who it is about, who made it, who keeps it; `languages.py` which language they speak
- `clinical.py`, `care.py`, `labs.py`  what the sections tell
- `lexicon.py`  the words of codes; `values.py` what stands in a column, made fit to be told
- `read.py`     all of it: `read(connection, schema, patient, period)`
- `missing.py`  what must be recorded before there can be one
"""
