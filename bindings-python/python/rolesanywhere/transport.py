"""HTTP by the standard library: one connection per request, none is kept.

A session lasts a quarter of an hour at least, and no server keeps a connection that long.
"""

from __future__ import annotations

import io
import os
import sys
import time

from ._files import open_file
from .errors import InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import http.client
    import socket
    import ssl
    from typing import Any
    from urllib.parse import SplitResult

    from ._native import HttpRequest

#: The longest answer that is read, in bytes; the core refuses longer ones.
MAX_RESPONSE_LENGTH = 256 * 1024


class Deadline:
    """The end of an exchange. The standard library limits each read only: a server that sends a byte now
    and then would keep the client for ever."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """How many seconds are left.

        Raises:
            OSError: none.
        """
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            import socket

            raise socket.timeout("timed out")
        return left

    def bind(self, connection: http.client.HTTPConnection) -> None:
        """Applies the deadline to a connection: to all of its addresses, TLS, a proxy's answer, each read."""
        parts: Any = connection
        parts._create_connection = self._connect
        parts.response_class = self._response

    def _connect(
        self, address: tuple[str, int], _timeout: object, source: Any = None
    ) -> socket.socket:
        import socket

        failure: OSError = OSError(f"`{address[0]}` has no address")
        places = socket.getaddrinfo(*address, 0, socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, at) in enumerate(places):
            opened = socket.socket(family, kind, protocol)
            try:
                left = self.left()
                # An equal share for each address that is left: the first one may not answer.
                opened.settimeout(None if left is None else left / (len(places) - number))
                opened.connect(at)
                # For the handshake of TLS and for sending.
                opened.settimeout(self.left())
            except OSError as error:
                opened.close()
                failure = error
            else:
                return opened
        raise failure

    def _response(self, sock: Any, *arguments: Any, **options: Any) -> http.client.HTTPResponse:
        import http.client

        response = http.client.HTTPResponse(sock, *arguments, **options)
        raw = response.fp.detach()
        response.fp = io.BufferedReader(_Reader(raw, sock, self))
        return response


class _Reader(io.RawIOBase):
    """The reader of a socket. Each read may take the time that is left."""

    def __init__(self, raw: Any, sock: Any, deadline: Deadline) -> None:
        self._raw, self._socket, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._deadline.left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class HttpTransport:
    """Sends requests through ``http.client``; proxies come from the environment (``HTTPS_PROXY``,
    ``HTTP_PROXY``, ``NO_PROXY``) or, on Windows and macOS, from the system.

    Args:
        ca_bundle: a PEM file of the CAs to trust; ``AWS_CA_BUNDLE``, then the system's when absent.
        timeout: the longest time from connecting to the last byte of the answer, in seconds; the
            client's when absent.
        proxy: the URL of the proxy, instead of the environment's; ``""`` for none.
    """

    def __init__(
        self,
        *,
        ca_bundle: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
        proxy: str | None = None,
    ) -> None:
        self._ca_bundle = ca_bundle
        self._timeout = timeout
        self._proxy = proxy

    def __call__(self, request: HttpRequest) -> tuple[int, list[tuple[str, str]], bytes]:
        return self.within(request, None)

    def within(
        self, request: HttpRequest, seconds: float | None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Sends a request and reads the whole answer in so many seconds.

        Raises:
            OSError: there is no answer; ``TimeoutError`` (before Python 3.10 ``socket.timeout``) when
                the time was over.
        """
        from urllib.parse import urlsplit

        limits = [limit for limit in (seconds, self._timeout) if limit is not None]
        deadline = Deadline(min(limits, default=None))
        url = urlsplit(request.url)
        connection, target, authorization = self._connection(url, request.url)
        deadline.bind(connection)
        try:
            connection.putrequest(
                request.method, target, skip_host=True, skip_accept_encoding=True
            )
            connection.putheader("host", url.netloc)
            for name, value in [*request.headers, *authorization.items()]:
                connection.putheader(name, value)
            connection.putheader("user-agent", _user_agent())
            connection.putheader("content-length", str(len(request.body)))
            connection.putheader("connection", "close")
            try:
                connection.endheaders(request.body)
            except OSError as error:
                # So `http.client` tells it of a tunnel (RFC 9110, 15.5.8).
                if "Tunnel connection failed: 407" not in str(error):
                    raise
                raise ConnectionError(_proxy_wants_a_password(connection)) from error
            # The answer has the connection now, and keeps it open when reading fails.
            with connection.getresponse() as response:
                body = response.read(MAX_RESPONSE_LENGTH + 1)
                expected = response.getheader("content-length")
                if expected is not None and expected.isdigit() and len(body) < int(expected):
                    if len(body) <= MAX_RESPONSE_LENGTH:
                        raise ConnectionError("the answer was cut short")
                return response.status, response.getheaders(), body
        finally:
            connection.close()

    def _connection(
        self, url: SplitResult, whole: str
    ) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
        """The connection, what to ask it for, and what a proxy wants to be told."""
        import http.client

        host, secure = url.hostname, url.scheme == "https"
        if host is None:
            raise InvalidInputError(f"`{whole}` has no host")
        path = f"{url.path}?{url.query}" if url.query else url.path
        proxy = self._proxy_for(url)
        if proxy is None:
            if secure:
                connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                    host, url.port, context=self._context()
                )
            else:
                connection = http.client.HTTPConnection(host, url.port)
            return connection, path, {}
        authorization = _proxy_authorization(proxy)
        at = proxy.hostname or ""
        if not secure:
            connection = http.client.HTTPConnection(at, proxy.port or 80)
            return connection, whole, authorization
        # `set_tunnel` speaks to the proxy in the clear; TLS begins inside the tunnel.
        tunnel = http.client.HTTPSConnection(at, proxy.port or 80, context=self._context())
        tunnel.set_tunnel(host, url.port or 443, headers=authorization)
        return tunnel, path, {}

    def _context(self) -> ssl.SSLContext:
        import ssl

        bundle = self._ca_bundle or os.environ.get("AWS_CA_BUNDLE") or None
        try:
            if bundle is not None:
                open_file(bundle).close()  # OpenSSL would wait for the other end of a pipe.
            context = ssl.create_default_context(cafile=bundle)
        except OSError as error:
            raise InvalidInputError(
                f"the CA bundle `{bundle!s}` cannot be read: {error.strerror or error}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _proxy_for(self, url: SplitResult) -> SplitResult | None:
        from urllib.parse import urlsplit

        proxy = self._proxy
        if proxy is None:
            # Elsewhere than on Linux the system may know of a proxy that the environment does not.
            named = any(name.lower().endswith("_proxy") for name in os.environ)
            if not named and sys.platform not in ("win32", "darwin"):
                return None
            import urllib.request

            if url.hostname is None or urllib.request.proxy_bypass(url.netloc):
                return None
            proxies = urllib.request.getproxies()
            proxy = proxies.get(url.scheme) or proxies.get("all")
        if not proxy:
            return None
        parsed = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if parsed.scheme != "http" or parsed.hostname is None:
            raise InvalidInputError(
                f"the proxy of scheme `{parsed.scheme}` cannot be used: pass an `http://HOST:PORT` proxy"
            )
        return parsed


def _proxy_wants_a_password(connection: http.client.HTTPConnection) -> str:
    given = any(name == "Proxy-Authorization" for name in getattr(connection, "_tunnel_headers", {}))
    does = "does not accept the user and the password in its URL" if given else "wants a user and a password"
    return (
        f"the proxy {does} (407): name them in it, `http://USER:PASSWORD@HOST:PORT`, with special "
        "characters percent-encoded (`@` is `%40`)"
    )


def _proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    import base64
    from urllib.parse import unquote

    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _user_agent() -> str:
    version = sys.version_info
    return f"rolesanywhere-python python/{version[0]}.{version[1]}"
