"""How the portal hands mail in, without knowing who sends it."""

from typing import Protocol

from econnector.mail.letter import Letter

__all__ = ["Post"]


class Post(Protocol):
    """The office's outgoing mail (`office.mail.postbox.Postbox`)."""

    async def hand_in(  # noqa: PLR0913 - what is known of a mail
        self,
        letter: Letter,
        *,
        purpose: str,
        clinic: int = 0,
        patient: int = 0,
        kind: str = "",
        notices: bool = False,
        days: float = 4.0,
    ) -> None:
        """Take a letter; once this returns it is sent, or a person learns why not.

        `purpose` is a short word that the office sees in the queue, `clinic` (ClinicNum) chooses the account, `notices`
        the one for notices of web mail. A mail that belongs to a `patient` (PatNum) is recorded in Open Dental's
        database as of that `kind`. After `days` it is given up.
        """
