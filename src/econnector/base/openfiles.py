"""How many files and sockets this process may have open: every connection is one."""

import contextlib

__all__ = ["open_files", "raise_open_files"]


def open_files() -> int | None:
    """Return how many may be open now; None where nobody counts them."""
    try:
        import resource  # noqa: PLC0415 - Windows has none, and needs none
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def raise_open_files() -> None:
    """Allow as many as this account may have at all.

    The usual limit, 1,024, is from times without sockets; programs may raise it by themselves up to the account's own.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):  # macOS says "any number" and refuses it
        import resource  # noqa: PLC0415 - as above

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
