"""One file per change of the registry's tables, in order."""
