"""The yardstick: one bare Flask view, none of our middleware. `python -m bench.hello PORT WORKERS THREADS` serves it like our web."""

import sys

from flask import Flask, Response, jsonify

app = Flask("hello")


@app.get("/hello")
def hello() -> Response:
    """Say hello."""
    return jsonify(hello="world")


if __name__ == "__main__":
    from gateway.local.ports import LOOPBACK
    from gateway.web import serve

    # The workers import this module alone, not what serves it.
    port, workers, threads = map(int, sys.argv[1:])
    serve(host=LOOPBACK, port=port, workers=workers, threads=threads, target="bench.hello:app", factory=False)
