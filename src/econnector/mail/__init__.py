"""How a letter leaves: what it is, the accounts it goes through, and the talk with an SMTP server."""
