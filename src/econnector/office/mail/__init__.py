"""The office's outgoing mail: which account, the outbox that loses nothing, and the process that sends."""
