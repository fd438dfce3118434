"""Health, readiness and metrics tell the truth about the neighbours."""

from flask.testing import FlaskClient

from core import cache, db
from core.settings import Settings
from tests.sandbox_client import free_port


def test_all_is_well(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["down"]) == (200, [])


def test_without_redis_it_goes_on_degraded(client: FlaskClient, settings: Settings) -> None:
    cache.configure(f"redis://127.0.0.1:{free_port()}")
    try:
        ready = client.get("/readyz")
    finally:
        cache.configure(settings.redis_url)
    assert (ready.status_code, ready.get_json()["down"]) == (200, ["redis"])


def test_without_the_database_it_asks_for_no_traffic(client: FlaskClient, settings: Settings) -> None:
    db.configure(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    try:
        ready = client.get("/readyz")
        assert client.get("/healthz").status_code == 200
    finally:
        db.configure(settings.database_url, pool=settings.database_pool)
    assert (ready.status_code, set(ready.get_json()["down"])) == (503, {"database", "migrations"})


def test_metrics_are_for_operators(client: FlaskClient, settings: Settings) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {settings.metrics_token}"})
    assert answer.status_code == 200
    assert b"http_requests_total" in answer.data
