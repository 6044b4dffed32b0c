"""A live link: dial (office end), accept (HQ end), loopback (in memory), switchboard (local, NATS)."""
