"""HTTP by botocore, as one of its sessions configures it."""

from __future__ import annotations

import os

import botocore.awsrequest
import botocore.httpsession
import botocore.session
import botocore.utils

from .transport import MAX_RESPONSE_LENGTH, Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._native import HttpRequest


class BotocoreTransport:
    """Sends requests through botocore's HTTP, as the session configures it: proxies, CA bundle,
    client certificates of proxies, timeouts, user agent.

    Args:
        session: whose configuration counts.
        verify: a CA bundle, or ``False`` to accept any server; the session's when ``None``.
        proxies: proxies by scheme; the session's, then the environment's when ``None``.
        proxies_config: botocore's further settings of proxies; the session's when ``None``.
        timeouts: for connecting and for each read, in seconds; the session's when ``None``. The client
            limits the whole exchange besides.
    """

    def __init__(
        self,
        session: botocore.session.Session,
        *,
        verify: bool | str | None = None,
        proxies: Mapping[str, str] | None = None,
        proxies_config: Mapping[str, Any] | None = None,
        timeouts: tuple[float, float] | None = None,
    ) -> None:
        self._session = session
        self._verify = verify
        self._proxies = proxies
        self._proxies_config = proxies_config
        self._timeouts = timeouts
        #: Whether the server's certificate is checked.
        self.verifies = verify is not False
        self._pool: tuple[int, str, botocore.httpsession.URLLib3Session] | None = None

    def __call__(self, request: HttpRequest) -> tuple[int, list[tuple[str, str]], bytes]:
        return self.within(request, None)

    def within(
        self, request: HttpRequest, seconds: float | None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Sends a request and reads the answer. The client stops waiting after so many seconds; the
        reading ends soon after."""
        deadline = Deadline(seconds)
        response: Any = self._http(request.url).send(prepared(self._session, request))
        body = b""
        try:
            for piece in response.raw.stream(1024):
                body += piece
                deadline.left()
                if len(body) > MAX_RESPONSE_LENGTH:
                    break
        finally:
            response.raw.close()  # of a connection that is kept only the answer
        return response.status_code, list(response.headers.items()), body

    def settings(self, url: str) -> dict[str, Any]:
        """The keywords of botocore's HTTP session for a URL."""
        import socket

        config: Any = self._session.get_default_client_config()
        proxies = self._proxies
        if proxies is None:
            proxies = getattr(config, "proxies", None)
        if proxies is None:
            proxies = botocore.utils.get_environ_proxies(url)
        verify = self._verify
        if verify is None:
            verify = self._session.get_config_variable("ca_bundle") or True
        timeouts = self._timeouts
        if timeouts is None and config is not None:
            timeouts = (config.connect_timeout, config.read_timeout)
        return {
            **({} if timeouts is None else {"timeout": timeouts}),
            "verify": verify,
            "proxies": dict(proxies),
            "proxies_config": self._proxies_config or getattr(config, "proxies_config", None),
            # Nagle's algorithm would hold the body back for 40 ms.
            "socket_options": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        }

    def _http(self, url: str) -> botocore.httpsession.URLLib3Session:
        # A connection that two processes use answers both with confusion: none outlives a fork.
        pool = self._pool
        if pool is None or pool[:2] != (os.getpid(), url):
            http = botocore.httpsession.URLLib3Session(**self.settings(url))
            self._pool = pool = (os.getpid(), url, http)
        return pool[2]


def prepared(
    session: botocore.session.Session, request: HttpRequest
) -> botocore.awsrequest.AWSPreparedRequest:
    """A request as botocore's HTTP sends it."""
    headers: Any = botocore.awsrequest.HeadersDict(dict(request.headers))
    headers["User-Agent"] = f"{session.user_agent()} rolesanywhere"
    return botocore.awsrequest.AWSPreparedRequest(
        method=request.method,
        url=request.url,
        headers=headers,
        body=request.body,
        stream_output=True,
    )
