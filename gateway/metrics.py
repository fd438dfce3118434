"""/metrics for Prometheus: requests, seconds and jobs, over all web processes; only for operators.

Routes are labelled by their rule, never by their address, so no id becomes a label.
"""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text

from core.db import engine
from core.web import access

log = logging.getLogger("access")

REQUESTS = Counter("http_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "http_request_seconds",
    "Seconds to answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_JOBS = text("SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2")


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule is not None else "(none)"
    seconds = time.perf_counter() - getattr(g, "started", time.perf_counter())
    REQUESTS.labels(request.method, route, response.status_code).inc()
    SECONDS.labels(route).observe(seconds)
    log.info(
        "request",
        extra={
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
        },
    )
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
        with engine().connect() as connection:
            for queue, state, count in connection.execute(_JOBS):
                gauge.labels(queue, state).set(count)
        return Response(generate_latest() + generate_latest(jobs), content_type=CONTENT_TYPE_LATEST)
