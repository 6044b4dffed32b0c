"""HQ does TLS itself: with the commands of a vendor and an office, from the certificate file to a patient's cookie."""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.certificates import Authority
from tests.support.site import token_in
from tests.support.whole import OFFICE, Whole, until


class WithTls(Whole):
    """HQ with a certificate of the vendor's own authority, which the office is given as `hq.ca`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.authority = Authority(folder)
        self.link = f"wss://127.0.0.1:{self.port}/link"
        self.hq_url = f"https://127.0.0.1:{self.port}"
        issued = self.authority.issue()
        self.hq_settings = folder / "hq.toml"
        self.hq_settings.write_text(f'[tls]\ncertificate = "{issued.certificate}"\nkey = "{issued.key}"\n')

    def start_hq(self) -> None:
        self.start("hq", "hq", "run", "--settings", str(self.hq_settings))
        until(lambda: f"HQ is up at {self.hq_url}" in self.log())

    def office(self, *words: str, ca: Path | None, answers: str = "") -> tuple[int, str]:
        """Run a command in the office; return its exit status and all that it said."""
        trust = ("--set", f"hq.ca={ca}") if ca else ()
        settings = ("--settings", str(self.settings), "--set", f"hq.url={self.link}", *trust)
        done = self.say("office", *words, *settings, answers=answers, check=False)
        return done.returncode, done.stdout + done.stderr

    def start_office(self) -> None:
        trust = ("--set", f"hq.ca={self.authority.file}")
        self.start("office", "office", "run", "--settings", str(self.settings), "--set", f"hq.url={self.link}", *trust)


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[WithTls]:
    made = WithTls(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_a_patient_signs_in_over_https_and_the_office_dials_over_wss(whole: WithTls, tmp_path: Path) -> None:
    whole.start_hq()
    added = whole.say("hq", "office", "add", OFFICE, "--settings", str(whole.hq_settings))
    assert f"{whole.hq_url}/o/{OFFICE}/portal/" in added.stdout
    found = re.search(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", added.stdout)
    assert found

    stranger = tmp_path / "stranger"
    stranger.mkdir()
    for ca in (None, Authority(stranger, "Somebody Else").file):
        status, said = whole.office("enrol", "-", ca=ca, answers=found[0] + "\n")
        assert status != 0
        assert "code hq-untrusted" in said
        assert found[0] not in said
        assert "Traceback" not in said
    status, said = whole.office("enrol", "-", ca=whole.authority.file, answers=found[0] + "\n")
    assert status == 0, said

    whole.start_office()
    trusting = ssl.create_default_context(cafile=whole.authority.file)
    base = f"{whole.hq_url}/o/{OFFICE}/portal/"
    with httpx2.Client(base_url=base, verify=trusting, trust_env=False, timeout=60) as browser:
        until(lambda: browser.get("sign-in").status_code == 200)
        page = browser.get("sign-in")
        assert "max-age" in page.headers["strict-transport-security"]
        fields = {"form_token": token_in(page.text), "user_name": "elena.rivera", "password": "Maple-Street-42"}
        signed_in = browser.post("sign-in", data=fields)
        assert signed_in.status_code == 303, signed_in.text
        cookies = [page.headers["set-cookie"], *signed_in.headers.get_list("set-cookie")]
        for cookie in cookies:
            assert cookie.startswith("__Host-"), cookie
            assert "secure" in cookie.lower()
            assert "httponly" in cookie.lower()
        assert browser.get("").status_code == 200
    assert "Traceback" not in whole.log()
