"""Reading what was typed."""

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from econnector.web.forms import Form, read_form

FORM = "application/x-www-form-urlencoded"


def posted(body: bytes, kind: str = FORM) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}, receive)


async def test_fields_are_read_as_they_were_typed() -> None:
    form = await read_form(posted(b"name=Ann+%25_%27%22%5C&secret=+two+&empty=&name=second"))
    assert form.get("name") == "Ann %_'\"\\"
    assert form.get("secret") == " two "
    assert form.get("empty") == form.get("absent") == ""


async def test_another_kind_of_body_is_an_empty_form() -> None:
    assert (await read_form(posted(b'{"name": "Ann"}', "application/json"))).values == {}
    assert (await read_form(posted(b"--x\r\n", "multipart/form-data; boundary=x"))).values == {}


async def test_too_many_fields_are_an_empty_form() -> None:
    assert (await read_form(posted(b"&".join(b"a%d=1" % n for n in range(200))))).values == {}


@given(st.binary(max_size=2000))
async def test_no_body_breaks_the_reading(body: bytes) -> None:
    form = await read_form(posted(body))
    assert all("\0" not in value for value in form.values.values())


def test_a_field_shows_its_first_mistake_and_passwords_are_never_sent_back() -> None:
    form = Form({"name": "Ann", "password": "secret"})
    form.wrong("name", "first")
    form.wrong("name", "second")
    assert form.mistake("name") == "first"
    assert len(form.mistakes) == 1
    clean = form.without("password")
    assert clean.get("name") == "Ann"
    assert clean.get("password") == ""
    assert clean.mistake("name") == "first"
