"""The patient portal: `calls.py` is the contract, `office.py` answers it, `web.py` shows it."""
