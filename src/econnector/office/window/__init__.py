"""The eConnector Service window: web pages on this machine alone, for the front desk and the IT person."""
