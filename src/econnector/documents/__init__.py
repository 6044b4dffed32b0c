"""Data in, bytes out: documents that people download."""
