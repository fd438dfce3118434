"""/metrics for Prometheus: requests, seconds and jobs, over all web processes; only for operators.

Routes are labelled by their rule, never by their address, so no id becomes a label.
"""

from __future__ import annotations

import functools
import time

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text

from casework.calendars.rules import missing_year
from casework.persons.emergencies import queries as emergencies
from core import calendar, clock
from core.db import engine, transaction
from core.web import access
from gateway.headers import STARTED
from gateway.logs import request_answered

REQUESTS = Counter("http_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "http_request_seconds",
    "Seconds to answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_JOBS = text("SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2")


@functools.lru_cache(maxsize=5_000)
def _counters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Looked up once: each look builds and hashes the labels anew."""
    return REQUESTS.labels(method, route, status), SECONDS.labels(route)


def _count(response: Response) -> Response:
    rule, environ = request.url_rule, request.environ
    route, method, status = rule.rule if rule is not None else "(none)", environ["REQUEST_METHOD"], response.status_code
    seconds = time.perf_counter() - environ[STARTED]
    requests, durations = _counters(method, route, status)
    requests.inc()
    durations.observe(seconds)
    request_answered(environ, method=method, route=route, status=status, seconds=seconds)
    return response


def register(app: Flask) -> None:
    """Count every request, and answer /metrics."""
    app.after_request(_count)

    @app.get("/metrics")
    @access.operator("scraped by Prometheus")
    def metrics() -> Response:
        """Metrics of this web process, and of the job queues."""
        jobs = CollectorRegistry()
        gauge = Gauge("jobs", "Jobs by queue and state", ["queue", "state"], registry=jobs)
        missing = Gauge("calendar_missing", "1 when a year that should be published isn't (K-10)", registry=jobs)
        late = Gauge("emergency_reviews_overdue", "Emergency look-ups nobody reviewed in time (P-5)", registry=jobs)
        with transaction() as session:
            late.set(emergencies.count_open(session, clock.now())[1])
            missing.set(missing_year(clock.today(), calendar.load(session)) is not None)
        with engine().connect() as connection:
            for queue, state, count in connection.execute(_JOBS):
                gauge.labels(queue, state).set(count)
        return Response(generate_latest() + generate_latest(jobs), content_type=CONTENT_TYPE_LATEST)
