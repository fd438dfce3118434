"""WeChat's access token, one for all processes: kept encrypted in Redis, asked for by one process at a time.

A stable token is the same for everybody who asks while it is valid, so asking twice does no harm: the lock only spares
WeChat a crowd. While Redis is away each process keeps its own copy of that same token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from core import cache, security

CONTEXT = "wechat.access_token"
# Every stable token that is handed out lives at least five more minutes; the last of them are not used.
SPARE_SECONDS = 60
# How long this process trusts its own copy without asking Redis.
LOCAL_SECONDS = 30.0

_LOCK_SECONDS = 8
_WAIT_SECONDS = 3.0
_POLL_SECONDS = 0.05

Ask = Callable[[], tuple[str, int]]


class AccessToken:
    """The token of one app id. `ask` fetches it from WeChat: the token and the seconds it lives."""

    def __init__(self, app_id: str, ask: Ask) -> None:
        self._ask = ask
        self._key = f"wechat:{{{app_id}}}:token"
        self._lock_key = f"wechat:{{{app_id}}}:asking"
        self._mutex = threading.Lock()
        self._token = ""
        self._checked = 0.0
        self._ends = 0.0

    def get(self) -> str:
        """A valid token. Raises what `ask` raises."""
        now = time.monotonic()
        if self._token and now - self._checked < LOCAL_SECONDS and now < self._ends:
            return self._token
        with self._mutex:
            return self._shared() or self._fetch()

    def renew(self, refused: str) -> str:
        """Another token than `refused`, which WeChat no longer takes: the one others have got meanwhile, or a fresh answer."""
        with self._mutex:
            self._token = ""
            current = self._shared()
            if current and current != refused:
                return current
            self._forget(refused)
            return self._fetch()

    def _shared(self) -> str:
        """The token in Redis, or "". With Redis away: this process's own while it is valid."""
        try:
            with cache.client().pipeline(transaction=False) as pipe:
                pipe.get(self._key)
                pipe.pttl(self._key)
                sealed, left = pipe.execute()
        except RedisError:
            return self._token if time.monotonic() < self._ends else ""
        if not sealed:
            return ""
        return self._keep(security.decrypt(bytes.fromhex(sealed), CONTEXT), left / 1000)

    def _fetch(self) -> str:
        """Ask WeChat, unless another process that is asking already brings the token."""
        try:
            mine = bool(cache.client().set(self._lock_key, "1", nx=True, ex=_LOCK_SECONDS))
        except RedisError:
            return self._keep(*self._ask())
        if not mine:
            found = self._wait()
            if found:
                return found
        try:
            token, seconds = self._ask()
            self._share(token, seconds)
        finally:
            if mine:
                self._delete(self._lock_key)
        return self._keep(token, seconds - SPARE_SECONDS)

    def _wait(self) -> str:
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            found = self._shared()
            if found:
                return found
        return ""

    def _share(self, token: str, seconds: int) -> None:
        try:
            sealed = security.encrypt(token, CONTEXT).hex()
            cache.client().set(self._key, sealed, ex=max(1, seconds - SPARE_SECONDS))
        except RedisError:
            return

    def _forget(self, refused: str) -> None:
        """Take `refused` out of Redis, unless another has put a newer one there."""
        if self._shared() == refused:
            self._delete(self._key)
        self._token = ""

    def _delete(self, key: str) -> None:
        try:
            cache.client().delete(key)
        except RedisError:
            return

    def _keep(self, token: str, seconds: float) -> str:
        now = time.monotonic()
        self._token, self._checked, self._ends = token, now, now + seconds
        return token
