"""What HQ counts, in the form that Prometheus reads. No label can grow without bound: no office, no path."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from econnector.link.admission import Shares

__all__ = ["Measured", "Metrics"]

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Tally:
    """A histogram for what happens tens of thousands of times a second: counting costs one list access.

    The library's own takes a lock and walks its labels and buckets for every value.
    """

    def __init__(self, name: str, text: str) -> None:
        """`text` says what is counted, in seconds by status class."""
        self._name, self._text = name, text
        self._counts: dict[int, list[int]] = {}
        self._sums: dict[int, float] = {}

    def observe(self, status: int, seconds: float) -> None:
        """Count one answer."""
        kind = status // 100
        counts = self._counts.get(kind)
        if counts is None:
            counts = self._counts[kind] = [0] * (len(_BUCKETS) + 1)
            self._sums[kind] = 0.0
        counts[bisect_left(_BUCKETS, seconds)] += 1
        self._sums[kind] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the figures as the library wants them."""
        family = HistogramMetricFamily(self._name, self._text, labels=["status"])
        edges = [*(f"{edge:g}" if edge < 1 else str(edge) for edge in _BUCKETS), "+Inf"]
        for kind, counts in self._counts.items():
            family.add_metric([f"{kind}xx"], list(zip(edges, accumulate(counts), strict=True)), self._sums[kind])
        yield family


class Metrics:
    """The figures of one HQ process."""

    def __init__(self, links: Callable[[], int], joined: Callable[[], bool] = lambda: True) -> None:
        """`links` says how many offices are connected here, `joined` whether the other nodes can be reached."""
        self._all = CollectorRegistry()
        gauge = Gauge("econnector_hq_links", "Offices connected to this node.", registry=self._all)
        gauge.set_function(links)
        bus = Gauge("econnector_hq_joined", "1 while this node reaches the others, over NATS.", registry=self._all)
        bus.set_function(joined)
        self.pages = Histogram(
            "econnector_hq_page_seconds",
            "Time until a page's last byte, by status class.",
            ["status"],
            buckets=_BUCKETS,
            registry=self._all,
        )
        self.api = Tally(
            "econnector_hq_api_seconds", "Time until an API answer's last byte was handed on, by status class."
        )
        self._all.register(self.api)
        self.arrivals = Counter(
            "econnector_hq_arrivals",
            "Connectors that introduced themselves, by outcome.",
            ["outcome"],
            registry=self._all,
        )
        self.silent = Counter("econnector_hq_offices_silent", "Offices that fell silent.", registry=self._all)
        self.notices = Counter(
            "econnector_hq_notices",
            "Mails to contacts about outages, by outcome: sent, delayed, refused.",
            ["outcome"],
            registry=self._all,
        )
        self.untold = Gauge(
            "econnector_hq_notices_waiting", "Notices to contacts that are not told yet.", registry=self._all
        )

    def watch(self, shares: Shares) -> None:
        """Count what offices take of this node, and what they are refused."""
        refused = Counter(
            "econnector_hq_calls_refused",
            "Calls refused because their office was asked beyond its limits, by reason: full, slow, late, bytes.",
            ["reason"],
            registry=self._all,
        )
        shares.on_refused = lambda reason: refused.labels(reason).inc()
        for name, text, figure in (
            ("econnector_hq_calls_running", "Calls to offices that are under way.", lambda: shares.running),
            ("econnector_hq_calls_waiting", "Calls that wait because of a limit.", lambda: shares.waiting),
            ("econnector_hq_document_bytes", "Bytes of documents under way or unread.", lambda: shares.bytes),
        ):
            Gauge(name, text, registry=self._all).set_function(figure)

    def exposition(self) -> Response:
        """Return all figures as text."""
        return Response(generate_latest(self._all), media_type=CONTENT_TYPE_LATEST)


class Measured:
    """ASGI middleware that measures pages."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap `app`."""
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = "5xx"
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.pages.labels(status).observe(time.perf_counter() - began)
