"""Two hundred payments; connector, database, processor and HQ die at every step of them: each is booked once."""

import collections
import contextlib
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from econnector.base.ids import new_id
from tests.support.dying import Form, Life, Lived
from tests.support.gateway import Gateway, gateway_process
from tests.support.mariadb import MariaDb
from tests.support.practice import practice_database

PAYMENTS, AT_ONCE, TOGETHER = 200, 8, 2
STEPS = 147
"""A few more than a connector has that takes two payments."""
KEPT = 77
"""CreditCardNum."""
DOES = ("approved", "approved", "card", "partial", "approved", "declined", "card", "leave", "kept", "approved")


class Street:
    """The office, the processor, and whoever starts connectors one after the other."""

    def __init__(self, server: MariaDb, gateway: Gateway, folder: Path) -> None:
        self.server, self.gateway, self.folder = server, gateway, folder
        self.name = server.copy_in(practice_database("21.1"))
        self.token, self.ahead = "", 0.0
        self.numbers: dict[str, str] = {}
        self.killed = collections.Counter[str]()
        self.mother = subprocess.Popen(
            [sys.executable, "-m", "tests.support.dying"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[4],
        )  # fmt: skip
        self._set_up()

    def _set_up(self) -> None:
        sql = self.sql
        ((program,),) = sql("SELECT ProgramNum FROM program WHERE ProgName = 'Xcharge'")
        sql("UPDATE program SET Enabled = 1, IsDisabledByHq = 0 WHERE ProgramNum = %s", program)
        ((pay_type,),) = sql("SELECT MIN(DefNum) FROM definition WHERE Category = 10 AND IsHidden = 0")
        given = {
            "XWebID": "800000009001", "AuthKey": "SandboxOpensNothingAndNobody0001", "TerminalID": "80009001",
            "PaymentType": str(pay_type), "IsOnlinePaymentsEnabled": "1",
        }  # fmt: skip
        for name, value in given.items():
            sql("DELETE FROM programproperty WHERE ProgramNum = %s AND PropertyDesc = %s", program, name)
            sql(
                "INSERT INTO programproperty"
                " (ProgramNum, PropertyDesc, PropertyValue, ComputerName, ClinicNum, IsMasked)"
                " VALUES (%s, %s, %s, '', 0, 0)",
                *(program, name, value),
            )
        sql("SET SESSION sql_mode = ''")
        sql("UPDATE patient SET Email = 'maria@example.com' WHERE PatNum = 11")
        sql(
            "INSERT IGNORE INTO creditcard (CreditCardNum, PatNum, XChargeToken, CCNumberMasked, CCSource)"
            " VALUES (%s, 11, 'DEMO-TOKEN-4242', 'XXXXXXXXXXXX4242', 2)",
            KEPT,
        )

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return self.server.sql(statement, *values, database=self.name)

    def live(self, forms: list[Form], dies: str = "", at: int = 0) -> Lived:
        """Let a connector live, and start again what it took with it."""
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        self.ahead += 6.0
        process = self.gateway.process
        victim = {"gateway": process.pid if process else 0, "database": self.server._process.pid}.get(dies, 0)  # type: ignore[union-attr]
        life = Life(
            database=self.server.url(self.name), folder=str(self.folder), gateway=self.gateway.url, token=self.token,
            forms=forms, asks=bool(dies), ahead=self.ahead, dies=dies, at=at, victim=victim,
        )  # fmt: skip
        self.mother.stdin.write(msgspec.json.encode(life).decode() + "\n")
        self.mother.stdin.flush()
        line = self.mother.stdout.readline()
        assert line, "the connectors' mother died"
        lived = msgspec.json.decode(line, type=Lived)
        self.token = self.token or lived.token
        self.numbers |= lived.numbers
        self._mend(dies)
        self.killed[dies if lived.killed or dies != "connector" else ""] += 1
        return lived

    def _mend(self, dies: str) -> None:
        if dies == "gateway" and self.gateway.process is not None and self.gateway.process.poll() is not None:
            self.gateway.stop(signal.SIGKILL)
            self.gateway.start()
        if dies == "database" and self.server._process is not None and self.server._process.poll() is not None:
            self.server.start()

    def close(self) -> None:
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        self.mother.stdin.close()
        self.mother.wait(60)
        self.mother.stdout.close()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    server = MariaDb()
    with contextlib.closing(server), gateway_process(tmp_path / "gateway") as gateway:
        (tmp_path / "office").mkdir()
        made = Street(server, gateway, tmp_path / "office")
        yield made
        made.close()


def _form(number: int) -> Form:
    does = DOES[number % len(DOES)]
    if does == "card":
        # 102: the kept card is declined; 127: it is charged, and nobody is told.
        cents = 127 if number % 80 == 6 else 102 if number % 30 == 12 else 2000 + number
        return Form(new_id(), cents, "approved", card=KEPT)
    if does == "kept":
        return Form(new_id(), 2000 + number, "approved", keep=True)
    return Form(new_id(), 2000 + number, does)


@pytest.mark.shared
def test_whatever_dies_at_whichever_step_every_payment_is_booked_once(street: Street) -> None:
    forms, others = [_form(number) for number in range(PAYMENTS)], itertools.cycle(("gateway", "database"))
    for batch in range(0, PAYMENTS, AT_ONCE):
        mine = forms[batch : batch + AT_ONCE]
        for first in range(0, AT_ONCE, TOGETHER):
            number = (batch + first) // TOGETHER
            dies = "hq" if number % 9 == 4 else next(others) if number % 12 == 7 else "connector"
            street.live(mine[first : first + TOGETHER], dies, at=1 + number * 10 % STEPS)
        street.live(mine)  # the browsers send their forms again
    for later in (200.0, 700.0, 10.0):
        street.ahead += later
        last = street.live([])
    assert last.failures == []
    _compare(street, forms)
    assert street.killed["connector"] > PAYMENTS // TOGETHER // 2
    assert min(street.killed[each] for each in ("gateway", "database", "hq")) >= 3


def _compare(street: Street, forms: list[Form]) -> None:
    charged = street.gateway.charged()
    booked = street.sql("SELECT ExternalId, ROUND(PayAmt * 100), PayNum FROM payment WHERE ExternalId <> ''")
    assert len(charged) > PAYMENTS // 2
    assert sorted((number, int(cents)) for number, cents, _ in booked) == sorted(charged.items())  # type: ignore[call-overload]
    for number, cents, pay_num in booked:
        splits = street.sql("SELECT ROUND(SplitAmt * 100) FROM paysplit WHERE PayNum = %s", pay_num)
        assert [int(split) for (split,) in splits] == [int(cents)]  # type: ignore[call-overload]
        answers = street.sql("SELECT PaymentNum, TransactionStatus FROM xwebresponse WHERE OrderId = %s", number)
        assert len(answers) == 1, number
        assert answers[0][0] == pay_num
        assert answers[0][1] in {3, 4, 6}
        logged = street.sql("SELECT LogText FROM securitylog WHERE PermType = 15 AND FKey = %s", pay_num)
        assert len(logged) == 1, number
    assert street.sql("SELECT OrderId FROM xwebresponse GROUP BY OrderId HAVING COUNT(*) > 1") == []
    assert street.sql("SELECT OrderId FROM xwebresponse WHERE TransactionStatus = 1") == []
    tokens = [str(token) for (token,) in street.sql("SELECT XChargeToken FROM creditcard")]
    assert len(tokens) == len(set(tokens)) > 1
    # Whoever pressed the button again until it went through has paid, and nobody has paid twice.
    wanted = {form.draft: form for form in forms}
    paid = {draft for draft, number in street.numbers.items() if number in charged}
    assert len(paid) == len(charged)
    owed = {draft for draft, form in wanted.items() if form.does in {"approved", "partial"} and form.cents != 102}
    assert paid <= owed
    lost = owed - paid
    assert all(wanted[draft].card for draft in lost), "only a charge that was never sent may be missing"
    assert len(lost) < PAYMENTS // 10
