"""The pages of paying, with a small office behind them."""

import re

import httpx2
import pytest

from econnector.base.errors import AnswerLost, PaymentCredentialsRefused
from econnector.eservices.portal import calls
from tests.support.site import SmallOffice, keys_of, token_in

CARD = calls.KeptCard(31, "XXXXXXXXXXXX4242", "2028-04")


@pytest.fixture(autouse=True)
def till_open(office: SmallOffice) -> None:
    office.till.open = True


def filled(page: httpx2.Response, **typed: str) -> dict[str, str]:
    """Return the page's form as somebody fills it in."""
    hidden = dict(re.findall(r'name="(draft|document)" value="([^"]*)"', page.text))
    amount = re.search(r'name="amount"[^>]*value="([^"]*)"', page.text)
    assert amount
    return {"form_token": token_in(page.text), "amount": amount[1], "card": "0", "receipt": "yes"} | hidden | typed


def pay(browser: httpx2.Client, where: str = "/pay", **typed: str) -> httpx2.Response:
    return browser.post("/pay", data=filled(browser.get(where), **typed))


def test_pages_offer_paying_only_where_the_office_takes_payments(ann: httpx2.Client, office: SmallOffice) -> None:
    for page in ("/", "/account", "/statements"):
        assert re.search(r'href="[^"]*/pay[?"]', ann.get(page).text), page
    office.till.open = False
    for page in ("/", "/account", "/statements"):
        assert not re.search(r'href="[^"]*/pay[?"]', ann.get(page).text), page
    closed = ann.get("/pay")
    assert closed.status_code == 409
    assert "payments-off" in closed.text
    assert "no program" not in closed.text


def test_the_whole_browser_goes_to_the_processor_from_a_page_of_ours(ann: httpx2.Client, office: SmallOffice) -> None:
    done = pay(ann)
    assert done.status_code == 303
    assert done.headers["location"].endswith("/pay/4000000001?go=1")
    (asked,) = office.till.pays
    assert (asked.cents, asked.card, asked.receipt) == (12345, 0, True)
    assert re.fullmatch(r"http://[^/]+/o/smile-dental/portal/pay/\{payment\}", asked.back)
    page = ann.get("/pay/4000000001?go=1")
    assert f'content="1;url={office.till.page}"' in page.text
    assert f'href="{office.till.page}"' in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "pay.example.com" in page.text


def test_the_return_says_nothing_the_office_is_asked(ann: httpx2.Client, office: SmallOffice) -> None:
    pay(ann)
    back = ann.get("/pay/4000000001?result=approved&ResponseCode=000")
    assert "Not paid yet" in back.text
    assert 'content="6;url=/o/smile-dental/portal/pay/4000000001?look=1"' in back.text
    assert "http-equiv" not in ann.get("/pay/4000000001?look=20").text
    office.till.becomes("4000000001", state="paid", paid_cents=12345, card="XXXXXXXXXXXX1111", approval="A77")
    paid = ann.get("/pay/4000000001")
    assert "Paid. Thank you." in paid.text
    assert "A77" in paid.text
    assert "http-equiv" not in paid.text
    assert office.till.page not in paid.text


@pytest.mark.parametrize(
    ("state", "words"),
    [("declined", "Nothing was charged"), ("expired", "Nothing was charged"), ("failed", "never begun")],
)
def test_whoever_paid_nothing_reads_that_and_can_try_again(
    ann: httpx2.Client, office: SmallOffice, state: str, words: str
) -> None:
    pay(ann)
    office.till.becomes("4000000001", state=state)
    page = ann.get("/pay/4000000001")
    assert words in page.text
    assert re.search(r'href="[^"]*/pay"', page.text)


def test_a_part_is_told_as_a_part(ann: httpx2.Client, office: SmallOffice) -> None:
    pay(ann)
    office.till.becomes("4000000001", state="partial", paid_cents=5000)
    page = ann.get("/pay/4000000001")
    assert "A part was paid" in page.text
    assert "$50.00" in page.text
    assert "$123.45" in page.text


def test_a_statement_is_paid_with_its_own_amount(ann: httpx2.Client, office: SmallOffice) -> None:
    assert pay(ann, "/pay?document=900").status_code == 303
    (asked,) = office.till.pays
    assert (asked.cents, asked.document) == (9800, 900)


def test_a_kept_card_is_charged_without_the_processors_page(ann: httpx2.Client, office: SmallOffice) -> None:
    office.till.cards = [CARD, calls.KeptCard(32, "XXXXXXXXXXXX0005", "2020-01", expired=True)]
    page = ann.get("/pay")
    assert 'value="31" checked' in page.text
    assert 'name="card" value="32"' not in page.text
    done = pay(ann, card="31", amount="40")
    assert done.headers["location"].endswith("/pay/4000000001")
    assert office.till.pays[0].card == 31


def test_what_is_on_its_way_is_not_asked_for_again(ann: httpx2.Client, office: SmallOffice) -> None:
    pay(ann, amount="100")
    office.till.becomes("4000000001", state="paid", paid_cents=10_000)
    page = ann.get("/pay")
    assert "Paid, on its way" in page.text
    assert 'value="23.45"' in page.text
    office.till.becomes("4000000001", posted=True)
    assert 'value="123.45"' in ann.get("/pay").text


def test_a_statement_that_is_partly_paid_since_asks_for_what_is_left(ann: httpx2.Client, office: SmallOffice) -> None:
    assert 'value="98.00"' in ann.get("/pay?document=100").text
    office.balance_cents = 2_000
    assert 'value="20.00"' in ann.get("/pay?document=100").text
    office.balance_cents = -500
    assert not re.search(r'name="amount"[^>]*value="[^"]', ann.get("/pay?document=100").text)


def test_a_card_is_deleted(ann: httpx2.Client, office: SmallOffice) -> None:
    office.till.cards = [CARD]
    page = ann.get("/pay")
    assert ann.post("/pay/cards/31/forget").status_code == 403
    assert office.till.cards
    done = ann.post("/pay/cards/31/forget", data={"form_token": token_in(page.text)})
    assert done.status_code == 303
    assert not office.till.cards
    assert "The card was deleted." in ann.get("/pay?notice=forgotten").text


@pytest.mark.parametrize("amount", ["", "abc", "-5", "1.2.3"])
def test_what_is_no_amount_is_asked_for_again(ann: httpx2.Client, office: SmallOffice, amount: str) -> None:
    again = pay(ann, amount=amount)
    assert again.status_code == 422
    assert "Enter an amount in dollars" in again.text
    assert not office.till.pays


def test_the_same_amount_again_needs_a_yes(ann: httpx2.Client, office: SmallOffice) -> None:
    office.till.refuse = "again"
    assert 'name="again"' not in ann.get("/pay").text
    asked = pay(ann)
    assert asked.status_code == 422
    assert "tick the box" in asked.text
    assert ann.post("/pay", data=filled(asked, again="yes")).status_code == 303


def test_a_form_sent_twice_is_one_payment(ann: httpx2.Client, office: SmallOffice) -> None:
    fields = filled(ann.get("/pay"))
    office.losing.add("portal.pay")
    lost = ann.post("/pay", data=fields)
    assert lost.status_code >= 500
    assert ann.post("/pay", data=fields).status_code == 303
    assert len(keys_of(office, "portal.pay")) == 1
    assert len(office.till.pays) == 1


def test_a_refused_credential_is_not_the_patients_to_know(ann: httpx2.Client, office: SmallOffice) -> None:
    office.failing_calls["portal.pay"] = PaymentCredentialsRefused(
        processor="EdgeExpress", clinic="the practice", which="EdgeExpressAuthKey", words="bad", program="EdgeExpress"
    )
    page = pay(ann)
    assert page.status_code == 503
    assert "Nothing was charged" in page.text
    assert "payment-credentials-refused" in page.text
    assert "AuthKey" not in page.text
    assert 'value="123.45"' in page.text


@pytest.mark.parametrize("page", ["javascript:alert(1)", "http://pay.example.com/x", "data:text/html,x"])
def test_a_browser_is_sent_to_no_strange_address(ann: httpx2.Client, office: SmallOffice, page: str) -> None:
    office.till.page = page
    pay(ann)
    shown = ann.get("/pay/4000000001?go=1")
    assert page not in shown.text
    assert "Not known yet" in shown.text


def test_a_notice_reaches_the_office_as_it_came(stranger: httpx2.Client, office: SmallOffice) -> None:
    body = b'{"id": "evt_1"}'
    head = {"stripe-signature": "good", "content-type": "application/json"}
    assert stranger.post("/pay/notice/stripe", content=body, headers=head).status_code == 200
    (notice,) = office.till.notices
    assert (notice.processor, notice.body, notice.signature) == ("stripe", body, "good")
    assert stranger.post("/pay/notice/stripe", content=body).status_code == 404
    assert stranger.post("/pay/notice/stripe", content=b"x" * 70_000, headers=head).status_code == 413
    office.failing_calls["portal.payment-notice"] = AnswerLost(call="x", reason="y")
    assert stranger.post("/pay/notice/stripe", content=body, headers=head).status_code >= 500
    assert len(office.till.notices) == 1


def test_paying_is_told_in_spanish(ann: httpx2.Client) -> None:
    page = ann.get("/pay", headers={"accept-language": "es-MX"})
    assert "Pagar en la cuenta de Ann Example" in page.text


def test_a_stranger_signs_in_first_and_comes_back_to_the_payment(stranger: httpx2.Client) -> None:
    away = stranger.get("/pay/4000000001")
    assert away.status_code == 303
    assert "next=%2Fpay%2F4000000001" in away.headers["location"]
