"""The sandbox: a card processor that moves no money, as a process of its own.

It speaks as EdgeExpress, XWeb and Stripe do, has a page on which people pay with cards that are none, and misbehaves on
demand (`scripts.py`). What it has done is in its own file (`books.py`), so that it can be killed and started again, and
`/ledger` says what it charged. It knows nothing of the connector, and imports none of its payment adapters.
"""
