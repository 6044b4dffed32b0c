"""HQ as a cluster, of which everything is stopped, killed, cut off and started again while people use it."""

import contextlib
import http.client
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Self

import pytest

from econnector.demo.browser import Browser, Lost, Page
from tests.support.cluster import GATEWAYS, PAGES, Cluster, Pull
from tests.support.formpage import Form, form_in
from tests.support.mariadb import shared_server
from tests.support.whole import until

ELENA, TYLER = ("elena.rivera", "Maple-Street-42"), ("tyler.rivera", "Kestrel-Avenue-7")
BIG = 24_000_000
"""Bytes of a document: more than all buffers between an office and a browser that does not read."""
FEW = 1_000_000
MOST = 20
"""Messages that one person sends: the office takes 30 in an hour."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("cluster"), shared_server())
    try:
        yield running.up()
    finally:
        running.close()


@pytest.fixture(scope="module")
def document(cluster: Cluster) -> tuple[str, bytes]:
    """A large statement of Elena's: its address, and what stands in it."""
    browser, _ = cluster.sign_in(*ELENA)
    link = browser.open("statements").link("/statements/", "/download")
    small = browser.open(link).body
    file = next(stored for stored in cluster.images.rglob("*.pdf") if stored.read_bytes() == small)
    file.write_bytes(small + os.urandom(BIG))
    return link, file.read_bytes()


def at(cluster: Cluster, node: str, browser: Browser) -> Browser:
    """The same person's browser, at one node."""
    there = cluster.at(node)
    for cookie in browser.cookies:
        there.cookies.set_cookie(cookie)
    return there


def written(cluster: Cluster) -> Counter[str]:
    """How often each message stands in the office's database, by its subject."""
    with contextlib.closing(sqlite3.connect(cluster.folder / "practice.sqlite", timeout=60)) as practice:
        return Counter(subject for (subject,) in practice.execute("SELECT Subject FROM emailmessage"))


def message(browser: Browser, subject: str) -> Form:
    """A message ready to be sent."""
    form = form_in(browser.open("messages/new").body.decode(), "/messages/new")
    form.fields |= {"subject": subject, "text": "Is it open?"}
    return form


class Load:
    """People who go on and on; what each request came to is counted."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.sent: list[str] = []
        """Subjects of the messages that the office said it has."""
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def read(self, person: tuple[str, str], *paths: str) -> None:
        """Let a person read these pages in turn."""
        browser, page = self.cluster.sign_in(*person)
        assert page.status == 200
        self._go(lambda turn: self.note("read", lambda: browser.open(paths[turn % len(paths)])), 0.1)

    def write(self, person: tuple[str, str], name: str) -> None:
        """Let a person send messages; one that was not acknowledged is sent again as it is."""
        browser, page = self.cluster.sign_in(*person)
        assert page.status == 200

        def send(turn: int) -> None:
            if turn == MOST:
                self._stop.wait()
            subject = f"{name} {turn} {time.monotonic_ns()}"
            form = None
            while form is None:
                with contextlib.suppress(AssertionError):
                    form = message(browser, subject)
            while not self.note("write", lambda: browser.open(form.action, form.fields)):
                time.sleep(0.1)
            self.sent.append(subject)

        self._go(send, 1.5)

    def note(self, kind: str, asks: Callable[[], Page]) -> bool:
        """Ask, and count what came."""
        try:
            page = asks()
        except Lost as lost:
            self.wrong.append(f"{kind}: {lost}")
            return False
        if page.status == 200:
            self.seen[kind] += 1
        else:
            self.wrong.append(f"{kind}: {page!r}")
        return page.status == 200

    def _go(self, work: Callable[[int], object], pause: float) -> None:
        def loop() -> None:
            turn = 0
            while not self._stop.wait(pause):
                work(turn)
                turn += 1

        self._threads.append(threading.Thread(target=loop))
        self._threads[-1].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def test_an_office_moves_to_another_gateway_amid_a_download_that_loses_nothing(
    cluster: Cluster, document: tuple[str, bytes]
) -> None:
    link, whole = document
    browser, _ = cluster.sign_in(*ELENA)
    pull = Pull(at(cluster, PAGES[0], browser), link)
    (before, epoch), goal = cluster.owner(), cluster.other()
    with Load(cluster) as load:
        load.read(ELENA, "", "help", "messages")
        start = pull.read(FEW)
        stopping = cluster.processes.pop(before)
        stopping.terminate()
        until(lambda: cluster.owner()[0] == goal)
        assert start + pull.read(pull.size - FEW) == whole
        assert stopping.wait(60) == 0
        assert cluster.owner()[1] > epoch
    assert not load.wrong
    assert load.seen["read"]
    cluster.begin(before)
    cluster.ready(before)


def test_a_gateway_that_dies_amid_a_download_breaks_it_off_visibly_and_the_office_finds_the_other(
    cluster: Cluster, document: tuple[str, bytes]
) -> None:
    cluster.whole()
    browser, _ = cluster.sign_in(*ELENA)
    pull = Pull(at(cluster, PAGES[1], browser), document[0])
    (before, epoch), goal = cluster.owner(), cluster.other()
    pull.read(FEW)
    cluster.kill(before)
    with pytest.raises(http.client.IncompleteRead):
        pull.read(pull.size - FEW)
    pull.close()
    until(lambda: cluster.owner()[0] == goal)
    for node in PAGES:
        assert until(lambda node=node: at(cluster, node, browser).open("").status == 200)  # type: ignore[misc]
    assert cluster.owner()[1] > epoch
    cluster.begin(before)
    cluster.ready(before)


def test_of_two_gateways_that_both_have_an_office_the_one_with_the_newer_link_keeps_it(cluster: Cluster) -> None:
    cluster.whole()
    browser, _ = cluster.sign_in(*ELENA)
    form = message(browser, "Once")
    (old, epoch), new = cluster.owner(), cluster.other()
    mark, told = len(cluster.said(old)), len(cluster.history())
    cluster.buses[old].cut()
    cluster.links.lead_to(cluster.ports[new])
    cluster.links.halve()  # the old gateway does not know
    until(lambda: cluster.owner()[0] == new)
    for node in PAGES:
        there = at(cluster, node, browser)
        assert until(lambda there=there: there.open("").status == 200)  # type: ignore[misc]
        assert there.open(form.action, form.fields).status == 200
    assert "link is over" not in cluster.said(old)[mark:]

    cluster.buses[old].mend()
    until(lambda: "link is over" in cluster.said(old)[mark:])
    assert "replaced" in cluster.said(old)[mark:]
    cluster.links.lead_to(*(cluster.ports[name] for name in GATEWAYS))
    for node in cluster.ports:
        assert until(lambda node=node: at(cluster, node, browser).open("").status == 200)  # type: ignore[misc]
        assert at(cluster, node, browser).open(form.action, form.fields).status == 200
    assert written(cluster)["Once"] == 1
    owner, newer = cluster.owner()
    assert (owner, newer > epoch) == (new, True)
    kinds = [kind for kind, _ in cluster.history()[told:] if kind != "outage"]  # which the office itself tells of
    assert kinds == ["connected"], "the older link's end is not the office's"


def test_without_nats_pages_say_so_at_once_and_all_is_well_when_it_is_back(cluster: Cluster) -> None:
    cluster.whole()
    browser, _ = cluster.sign_in(*ELENA)
    owner = cluster.owner()
    marks = {name: len(cluster.said(name)) for name in GATEWAYS}
    cluster.nats.kill()
    for node in (*PAGES, cluster.other()):
        there = at(cluster, node, browser)
        assert until(lambda there=there: there.open("").status == 503)  # type: ignore[misc]
        assert 0 < int(there.open("").headers["retry-after"]) <= 60
    assert at(cluster, owner[0], browser).open("").status == 200, "what is connected here needs no bus"
    assert not any(map(cluster.joined, cluster.ports))
    cluster.nats.start()
    cluster.whole()
    assert all(map(cluster.joined, cluster.ports))
    assert cluster.owner() == owner
    assert all("link is over" not in cluster.said(name)[mark:] for name, mark in marks.items())


def test_a_restart_of_every_node_in_turn_fails_no_request_and_does_nothing_twice(cluster: Cluster) -> None:
    cluster.whole()
    with Load(cluster) as load:
        load.read(ELENA, "", "messages", "statements")
        load.read(TYLER, "help", "appointments", "sign-in")
        load.write(ELENA, "Elena")
        load.write(TYLER, "Tyler")
        for name in cluster.ports:
            assert cluster.stop(name) == 0
            cluster.begin(name)
            cluster.ready(name)
        time.sleep(1.0)
    assert not load.wrong
    rows = written(cluster)
    assert load.seen["write"] == len(load.sent) > 0
    assert [rows[subject] for subject in load.sent] == [1] * len(load.sent)
