"""Downloads of files of codes: how far each one is, so that it goes on where it stopped, whoever asks for it next.

The bytes are in a file beside the state file. `done` counts those that are on the disk for sure: after a power cut
the file's end may hold anything. The address itself is not kept, for it may hold a secret.
"""

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["CANCELLED", "DOWNLOADING", "FAILED", "LOADED", "Download", "ended", "every", "find", "forget", "keep"]

DOWNLOADING, LOADED, CANCELLED, FAILED = "downloading", "loaded", "cancelled", "failed"

_DOWNLOADS = sa.Table(
    "code_download",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("validator", sa.Text, nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("brought", sa.BigInteger, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)


class Download(msgspec.Struct):
    """How far a download is: the columns of `code_download`, in their order."""

    system: str
    address: str
    """Without what may be secret in it, for people."""
    digest: str
    """SHA-256 of the whole address: only the same one is gone on with."""
    validator: str = ""
    """What the server calls this content: a strong ETag or a date; empty when it says neither."""
    done: int = 0
    """Bytes on the disk."""
    total: int = 0
    """Bytes of the whole; 0 while nobody knows."""
    seconds: float = 0.0
    """Time that it took so far."""
    brought: int = 0
    """Bytes that came in that time."""
    status: str = DOWNLOADING
    failure: str = ""
    """What went wrong, in a sentence."""
    at: float = 0.0
    """When this was written, as a timestamp."""

    @property
    def share(self) -> float:
        """Of the whole, from 0 to 1; 0 while nobody knows how much that is."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.brought / self.seconds if self.seconds else 0.0


def find(connection: sa.Connection, system: str) -> Download | None:
    """Return a system's download, None when there is none."""
    row = connection.execute(sa.select(_DOWNLOADS).where(_DOWNLOADS.c.system == system)).first()
    return Download(*row) if row else None


def every(connection: sa.Connection) -> dict[str, Download]:
    """Return the download of each system that has one."""
    return {row.system: Download(*row) for row in connection.execute(sa.select(_DOWNLOADS))}


def keep(connection: sa.Connection, download: Download) -> None:
    """Keep how far it is."""
    values, here = msgspec.structs.asdict(download), _DOWNLOADS.c.system == download.system
    if not connection.execute(sa.update(_DOWNLOADS).where(here).values(**values)).rowcount:
        connection.execute(sa.insert(_DOWNLOADS).values(**values))


def forget(connection: sa.Connection, system: str) -> None:
    """Drop what is known of a system's download: its file is gone, or is nothing to go on with."""
    connection.execute(sa.delete(_DOWNLOADS).where(_DOWNLOADS.c.system == system))


def ended(connection: sa.Connection, system: str) -> None:
    """Say that nobody downloads the system's file any more, for one whose process died."""
    here = (_DOWNLOADS.c.system == system) & (_DOWNLOADS.c.status == DOWNLOADING)
    connection.execute(sa.update(_DOWNLOADS).where(here).values(status=CANCELLED))
