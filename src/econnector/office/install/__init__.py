"""Installing the eConnector in an office, and updating it."""
