"""HQ's own database: offices, keys, connectors, who owns an office's link, last heartbeats, history. No patient data.

SQLite by default, PostgreSQL and MariaDB/MySQL by URL. `Registry.run(f, *args)` is the only bridge from async code;
the functions `f(connection, …)` stand in the modules beside it, one per subject::

    tables.py      the tables            offices.py     offices and their keys
    database.py    Registry              connectors.py  who may own an office's link: epoch, standby, move
    migrate.py     Alembic               heartbeats.py  what offices last said
    keys.py        how a key is stored   history.py     what happened
"""
