"""The connector's own state: what Open Dental has no place for, in one small SQLite file."""
