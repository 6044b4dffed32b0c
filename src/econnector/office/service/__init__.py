"""The Service Manager: this machine's eConnectors as services of its operating system."""
