"""The vendor's side: registry, gateway, watch, admin pages."""
