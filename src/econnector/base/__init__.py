"""What everything stands on: the failure catalogue, time, identifiers, settings, logs."""
