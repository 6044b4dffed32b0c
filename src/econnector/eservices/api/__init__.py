"""The API: what partner programs ask of an office over HTTP, with keys that the office makes and checks."""
