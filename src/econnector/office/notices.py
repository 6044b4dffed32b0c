"""The notice of a new web mail message, as the practice words it (`opendental.webmailnotice`)."""

from typing import Any

from econnector.office.desk import Who
from econnector.office.hand import WITHIN, Hand, need_setup
from econnector.opendental import webmailnotice
from econnector.opendental.webmailnotice import Notice, Setting

__all__ = ["Notice", "Notices", "Setting"]


class Notices(Hand):
    """One practice's notice. Every method may raise the database's failures."""

    async def read(self) -> Setting:
        """Return it as it is now."""
        return await self._database.run(webmailnotice.read, within=WITHIN)

    async def save(self, who: Who, new: Notice, before: Notice) -> list[str]:
        """Keep it; return what was changed. Raises `PermissionMissing`, and `ValueRejected` as `webmailnotice.save`."""
        need_setup(who)
        return await self._database.run(self._save, who, new, before, within=WITHIN)

    def _save(self, connection: Any, who: Who, new: Notice, before: Notice) -> list[str]:
        changed = webmailnotice.save(connection, self._schemas(connection), new, before)
        if changed:
            self.note(connection, who, 0, f"notice of new messages changed: {' and '.join(changed)}.")
        return changed
