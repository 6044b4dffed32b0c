"""Everything we know about Open Dental's database and folders, and nothing else."""
