"""The connector: puts link, Open Dental and eServices together."""
