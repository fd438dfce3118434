"""The process: ready line, clean end, state that survives a restart, a taken port."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.sandbox.conftest import HURRY, Listener, run, start, wait_until
from tests.sandbox.partners import Alipay, WeChat, inject
from tests.sandbox_client import free_port


def test_state_and_callbacks_survive_a_restart(tmp_path: Path, listener: Listener) -> None:
    port = free_port()
    running = start(tmp_path, port)
    assert running.ready_line == f"sandbox ready: http://127.0.0.1:{port}/_sandbox/\n"
    code = running.sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    inject(running.sandbox, "alipay", "late_callback", value=2)
    Alipay(running.sandbox).paid("T1", notify_url=listener.url)
    assert running.stop() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sandbox.json", "state.sqlite3"]
    assert listener.received == []

    again = start(tmp_path, port)
    try:
        assert again.sandbox.credentials == running.sandbox.credentials
        assert WeChat(again.sandbox).login(code)["openid"]
        assert Alipay(again.sandbox).call("alipay.trade.query", out_trade_no="T1")["trade_status"] == "TRADE_SUCCESS"
        listener.wait_for(1)
        wait_until(lambda: again.sandbox.get("callbacks.json")["callbacks"][0]["state"] == "delivered")
    finally:
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(15) == 0
        again.stop()


def test_a_killed_sandbox_starts_again_with_what_it_had(tmp_path: Path) -> None:
    port = free_port()
    running = start(tmp_path, port)
    Alipay(running.sandbox).paid("T1")
    running.process.kill()
    running.process.wait(15)
    running.stop()
    again = start(tmp_path, port)
    try:
        assert Alipay(again.sandbox).call("alipay.trade.query", out_trade_no="T1")["trade_status"] == "TRADE_SUCCESS"
    finally:
        assert again.stop() == 0


def test_a_taken_port_is_said(tmp_path: Path, listener: Listener) -> None:
    port = listener.url.rsplit(":", 1)[1]
    answer = run("serve", tmp_path, "--port", port, "--hurry", HURRY)
    assert answer.returncode == 1
    assert port in answer.stderr
    assert "ready" not in answer.stdout
