"""The yardstick: one bare Flask view, none of our middleware."""

from flask import Flask, Response, jsonify

app = Flask("hello")


@app.get("/hello")
def hello() -> Response:
    """Say hello."""
    return jsonify(hello="world")
