"""Serves the sandbox: one process, a thread per request, a clean end on SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import create_app
from sandbox.world import World


class _QuietHandler(WSGIRequestHandler):
    """Writes no line per request: the calls are in the store."""

    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def serve(state: Path, *, host: str, port: int, hurry: float) -> None:
    """Serve until a signal says stop; then finish the callbacks under way and write the state out."""
    app = create_app(state, hurry=hurry)
    world: World = app.extensions["sandbox"]
    server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler)

    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this handler interrupts, so it needs a thread of its own.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    world.callbacks.start()
    print(f"sandbox ready: http://{host}:{server.server_port}/_sandbox/", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        world.callbacks.stop()
        server.server_close()
        world.store.close()
