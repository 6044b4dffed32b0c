"""The API's addresses and forms, without a server: whoever has read a request's first lines finds here what is wanted.

- `resources.py`  from a method, a path and a query to a call; from a result or a failure to bytes
- `openapi.py`    the same, described for partners' tools
"""
