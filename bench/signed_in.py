"""The yardstick behind a token check: the same bare Flask view, but only for a signed-in citizen of level 2.

`python -m bench.signed_in PORT WORKERS THREADS`, with the product's settings in the environment.
"""

import sys

from flask import Flask, Response, jsonify

from auth.sessions import authenticator
from auth.sessions.authenticator import TokenAuthenticator
from core import db
from core.settings import load
from core.web import access


def application() -> Flask:
    """What each worker process runs: nothing of the product but what checks a token."""
    settings = load()
    db.configure(settings.database_url, pool=settings.database_pool)
    authenticator.configure(settings.crypto.token_private_key, settings.public_url)
    authenticator.listen(db.conninfo(settings.database_url, "ningbo-government-bench"))
    app = Flask("signed-in")
    access.install(app, TokenAuthenticator(), settings.metrics_token)

    @app.get("/hello")
    @access.public("the yardstick")
    def hello() -> Response:
        """Say hello."""
        return jsonify(hello="world")

    @app.get("/signed-in")
    @access.citizen(level=2)
    def signed_in() -> Response:
        """Say hello to a citizen."""
        return jsonify(hello="world")

    return app


if __name__ == "__main__":
    from gateway.local.ports import LOOPBACK
    from gateway.web import serve

    port, workers, threads = map(int, sys.argv[1:])
    serve(host=LOOPBACK, port=port, workers=workers, threads=threads, target="bench.signed_in:application")
