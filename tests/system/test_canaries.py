"""Secrets and patients' data, recognisable, go through every path at Verbose; no file and no output holds them."""

import contextlib
import io
import os
import re
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from econnector.demo.browser import Browser, Lost, Page
from tests.support.mailserver import mail_server
from tests.support.mariadb import shared_server
from tests.support.ports import free_port
from tests.support.typed import typed_aside
from tests.support.whole import Whole, until

USER, PASSWORD = "elena.rivera", "Maple-Street-42"
DATABASE_PASSWORD = "Canary-Db-77x"
TYPED = ("Canary-Wrong-Pw-1", "canary.nobody", "Canary-Window-Pw-2", "canary-window-user")
WRONG_KEY = "CANA-RYKE-YWRN-G234"
HEADERS = ("Canary-Bearer-3", "Canary-Cookie-4", "Canary-Query-5", "Canary-Header-6")
QUOTED = "Canary-Quoted-By-Server-9"
"""What a database server puts into an error's text, as it quotes values."""
SMTP_PASSWORD, RECIPIENT, MAIL_WORDS = "Canary-Smtp-7", "canary.patient", ("Canary-Subject-8", "Canary-Body-8")
MET = (
    *("the connector starts", "answered", "<6>", "login-failed", "file-missing", "database statement failed"),
    *("database-refused", "window-sign-in-failed", "mail-refused", "mail-login-refused"),
)
"""What the log does hold, as a proof that every path was gone."""
PATIENT = ("Rivera", "elena", "Elena")


class Loud(Whole):
    """Everything at Verbose, as under systemd: the journal reads what the processes write."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "ECONNECTOR_HQ_LOG_LEVEL": "verbose",
            "ECONNECTOR_HQ_LOG_FOLDER": str(self.folder / "hq" / "log"),
        }

    def start(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            found = os.fstat(out.fileno())
            environment = self.environment | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
            command = [sys.executable, "-m", "econnector", *words]
            self.processes[name] = subprocess.Popen(command, stdout=out, stderr=out, env=environment)

    def run(self, words: Sequence[str], answers: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own: what it writes is what is looked through. Of `logs` that is what it prints."""
        if words[:2] == ("office", "logs"):
            return super().run(words, answers)
        return typed_aside([sys.executable, "-m", "econnector", *words], self.environment, answers=answers)

    def everything(self) -> str:
        """All that any process wrote, whatever the file is called."""
        kept = [self.folder / "hq" / "log", self.folder / "log", *self.folder.glob("*.out")]
        files = [file for each in kept for file in ([each] if each.is_file() else each.rglob("*")) if file.is_file()]
        return "\n".join(file.read_text(errors="replace") for file in files)


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Loud]:
    made = Loud(tmp_path)
    with made.settings.open("a") as stream:
        stream.write(f"\n[window]\nport = {free_port()}\n")
    made.office_says("office", "logs", "--level", "verbose")
    yield made
    made.close()


def ask_with_secrets(url: str) -> None:
    request = urllib.request.Request(f"{url}?token={HEADERS[2]}&password={HEADERS[2]}")
    request.add_header("Authorization", f"Bearer {HEADERS[0]}")
    request.add_header("Cookie", f"session={HEADERS[1]}; {HEADERS[1]}")
    request.add_header("X-Forwarded-For", HEADERS[3])
    request.add_header("Accept-Language", HEADERS[3])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(urllib.error.URLError), opener.open(request, timeout=60) as answer:
        answer.read()


def try_the_window(whole: Loud) -> None:
    found = re.search(r"(?m)^port = (\d+)$", whole.settings.read_text()[-80:])
    assert found
    browser = Browser(f"http://127.0.0.1:{found[1]}/")
    page = until(lambda: opened(browser, "sign-in"))
    assert page is not None
    browser.submit(page.form("/sign-in"), user_name=TYPED[3], password=TYPED[2])
    ask_with_secrets(f"http://127.0.0.1:{found[1]}/")


def opened(browser: Browser, path: str) -> Page | None:
    with contextlib.suppress(Lost):
        return browser.open(path)
    return None


def meet_sql_errors(whole: Loud) -> None:
    """Let the database quote what it was given in an error, and lack a table."""

    def do(*statements: str) -> None:
        with contextlib.closing(sqlite3.connect(whole.folder / "practice.sqlite", timeout=60)) as practice:
            for statement in statements:
                practice.execute(statement)
            practice.commit()

    quote = f"BEGIN SELECT RAISE(ABORT, '{QUOTED}'); END"
    do(f"CREATE TRIGGER canary BEFORE INSERT ON loginattempt {quote}")
    do(f"CREATE TRIGGER canary2 BEFORE UPDATE ON userweb {quote}")
    do(f"CREATE TRIGGER canary3 BEFORE INSERT ON securitylog {quote}")
    whole.sign_in(TYPED[1], TYPED[0])
    whole.sign_in(USER, PASSWORD)
    do("DROP TRIGGER canary", "DROP TRIGGER canary2", "DROP TRIGGER canary3")
    do("ALTER TABLE userweb RENAME TO userweb_gone")
    whole.sign_in(USER, PASSWORD)
    do("ALTER TABLE userweb_gone RENAME TO userweb")


def meet_a_server_that_refuses(whole: Loud) -> None:
    """Start the connector with a password that the database server does not take."""
    server = shared_server()
    server.create_user("canary", "another")
    text = whole.settings.read_text()
    url = server.url("practice", "canary", DATABASE_PASSWORD)
    whole.settings.write_text(re.sub(r'(?m)^url = "sqlite:.*$', f'url = "{url}"', text))
    whole.settings.chmod(0o600)
    whole.start_office()
    until(lambda: "database-refused" in whole.everything(), 60)


MAIL_CHILD = """
import sys, threading
from pathlib import Path
import structlog
from econnector.base import logs
from econnector.base.errors import Failure
from econnector.mail.letter import Account, Letter
from econnector.mail.smtp import deliver
logs.configure(Path(sys.argv[1]), "verbose", echo=sys.stderr)
logs.catch_strays()
log = structlog.get_logger("econnector.mail.canary")
letter = Letter([sys.argv[4] + "@example.com"], sys.argv[5], sys.argv[6], "<1@example.com>")
for user in ("clerk", "stranger"):
    account = Account("127.0.0.1", int(sys.argv[2]), "none", user, sys.argv[3], "office@example.com")
    try:
        deliver(account, letter, 20.0)
    except Failure as failure:
        log.warning("not sent", code=failure.code, why=failure.office_text(), facts=failure.facts, account=account)
        log.error("not sent", exc_info=failure)
def fall(): raise ValueError(sys.argv[3])
thread = threading.Thread(target=fall); thread.start(); thread.join()
raise ValueError(sys.argv[3])
"""


def send_mail(whole: Loud) -> None:
    with mail_server(users={"clerk": SMTP_PASSWORD}) as server, (whole.folder / "mail.out").open("ab") as out:
        server.replies["RCPT"] = f"550 5.1.1 <{RECIPIENT}@example.com>: user unknown, password={SMTP_PASSWORD}"
        words = [str(whole.folder / "log"), str(server.port), SMTP_PASSWORD, RECIPIENT, *MAIL_WORDS]
        subprocess.run([sys.executable, "-c", MAIL_CHILD, *words], stdout=out, stderr=out, check=False)


@pytest.mark.timeout(300)
def test_no_secret_and_no_patient_is_written_anywhere_at_any_level(whole: Loud) -> None:
    whole.start_hq()
    key = whole.enrol()
    whole.office_says("office", "enrol", "-", answers=f"{WRONG_KEY}\n", check=False)
    whole.start_office()
    until(whole.answers, 60)
    browser, page = whole.sign_in(USER, PASSWORD)
    assert page.status == 200
    statements = browser.open("statements")
    link = statements.link("/statements/", "/download")
    assert browser.open(link).body.startswith(b"%PDF-")
    whole.images.rename(whole.folder / "elsewhere")
    assert browser.open(link).status == 404
    (whole.folder / "elsewhere").rename(whole.images)
    for name, word in ((USER, TYPED[0]), (TYPED[1], PASSWORD), (TYPED[0], TYPED[0] * 20)):
        whole.sign_in(name, word)
    for path in ("", "sign-in", "statements", f"statements/{TYPED[1]}"):
        ask_with_secrets(whole.portal + path)
    ask_with_secrets(f"{whole.hq_url}/link")
    meet_sql_errors(whole)
    try_the_window(whole)
    send_mail(whole)
    until(lambda: "answered" in whole.everything())
    whole.stop("office")
    browser.open("statements")
    meet_a_server_that_refuses(whole)

    bundle = whole.folder / "bundle.zip"
    said = [whole.office_says("office", "logs", "--bundle", str(bundle)).stdout]
    said += [whole.office_says("office", "logs", "--since", "1h", *more).stdout for more in ([], ["--json"])]
    refused = whole.office_says("office", "logs", "--bundle", str(bundle), check=False)
    assert "is there already" in refused.stderr
    whole.stop("office")
    whole.stop("hq", 30)

    with zipfile.ZipFile(io.BytesIO(bundle.read_bytes())) as archive:
        bundled = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(bundled) == {
        *("README.txt", "versions.json", "settings.json", "status.json", "doctor.json", "history.json", "log.jsonl"),
    }
    log = whole.everything()
    for expected in MET:
        assert expected in log, expected
    assert "the connector starts" in bundled["log.jsonl"]
    assert "database-refused" in bundled["history.json"]
    assert '"(secret)"' in bundled["settings.json"]

    tokens = [cookie.value for cookie in browser.cookies if cookie.value]
    secrets = [PASSWORD, DATABASE_PASSWORD, *TYPED, WRONG_KEY, key, *HEADERS, QUOTED, *tokens]
    secrets += [SMTP_PASSWORD, RECIPIENT, *MAIL_WORDS, *PATIENT]
    places = {"log": log, "said": "\n".join(said), **bundled}
    leaks = [
        (secret, place, [line[:300] for line in text.splitlines() if secret in line][:3])
        for secret in secrets
        for place, text in places.items()
        if secret in text
    ]
    assert leaks == []
