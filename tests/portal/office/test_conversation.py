"""A message and its talk: what belongs to it by its subject, however people's programs wrote it."""

import datetime as dt

import pytest

from econnector.eservices.portal import calls
from econnector.opendental import tables
from tests.support.practice import READER, Cast, PortalOffice

ON_BOTH = pytest.mark.parametrize(
    "portal_office", ["sqlite", pytest.param("24.3", marks=pytest.mark.shared)], indirect=True
)


async def written(office: PortalOffice, number: int, subject: str | None, about: Cast = Cast.MARIA) -> int:
    at = dt.datetime(2025, 12, 1, 8, 0, number % 60)  # noqa: DTZ001 - office time
    await office.add(
        tables.emailmessage,
        EmailMessageNum=number,
        PatNum=Cast.MARIA,
        PatNumSubj=about,
        ProvNumWebMail=READER,
        SentOrReceived=7,
        Subject=subject,
        BodyText=f"message {number}",
        MsgDateTime=at,
        MsgType="WebMail",
    )
    return number


async def others(office: PortalOffice, token: str, number: int) -> list[int]:
    page = await office.ask(calls.MESSAGE, calls.MessageAsked(token, message=number))
    assert page.opened.message == number
    return [other.message for other in page.others]


@ON_BOTH
async def test_a_talk_is_the_messages_of_one_subject_whatever_their_marks(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    marks = ("", "RE: ", "Aw: re:", "FW: RE: ")
    talk = [await written(office, 740 + place, f"{mark}Your crown: 50%_off") for place, mark in enumerate(marks)]
    await written(office, 745, "RE: My crown: 50%_off")
    await written(office, 746, "RE: Your crown: 50% off")
    await written(office, 747, "RE: Your crown: 50%_off", about=Cast.LUIS)
    for number in talk:
        assert await others(office, token, number) == [one for one in reversed(talk) if one != number]


@ON_BOTH
async def test_a_message_without_a_subject_can_be_opened(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await written(office, 750, None)
    await written(office, 751, "")
    assert await others(office, token, 750) == []
