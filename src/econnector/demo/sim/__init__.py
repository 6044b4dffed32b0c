"""Ten thousand offices in one process: real links, real pages, for load, storms of reconnecting and slow offices.

- `plan.py`     what a simulation shall be
- `vendor.py`   HQ as a process of its own, killed and started again; its certificate
- `fleet.py`    the offices: a dialler each, with heartbeats and the one answer that a page needs
- `load.py`     people who open pages, at a pace that does not wait for answers
- `run.py`      all of it together, told every second and at the end
"""
