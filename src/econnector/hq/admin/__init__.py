"""The fleet pages: what the vendor's people see of the offices, and do for them. Served on the admin address alone."""
