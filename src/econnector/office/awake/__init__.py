"""Staying awake: a machine that sleeps answers no patient.

`holding.py` keeps the system from sleeping while the connector runs, `slept.py` notices that it slept all the same,
`power.py` reads what the power settings allow, and `watch.py` puts them together.
"""
