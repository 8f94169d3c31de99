"""HTTP by the standard library: one connection per request, none is kept.

A session lasts a quarter of an hour at least, and no server keeps a connection that long.
"""

from __future__ import annotations

import os
import sys

from ._files import open_file
from .errors import InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import http.client
    import ssl
    from urllib.parse import SplitResult

    from ._native import HttpRequest

#: The longest answer that is read, in bytes; the core refuses longer ones.
MAX_RESPONSE_LENGTH = 256 * 1024


class HttpTransport:
    """Sends requests through ``http.client``; proxies come from the environment (``HTTPS_PROXY``,
    ``HTTP_PROXY``, ``NO_PROXY``) or, on Windows and macOS, from the system.

    Args:
        ca_bundle: a PEM file of the CAs to trust; ``AWS_CA_BUNDLE``, then the system's when absent.
        timeout: how long to wait for the connection and for each read, in seconds.
        proxy: the URL of the proxy, instead of the environment's; ``""`` for none.
    """

    def __init__(
        self,
        *,
        ca_bundle: str | os.PathLike[str] | None = None,
        timeout: float = 10.0,
        proxy: str | None = None,
    ) -> None:
        self._ca_bundle = ca_bundle
        self._timeout = timeout
        self._proxy = proxy

    def __call__(self, request: HttpRequest) -> tuple[int, list[tuple[str, str]], bytes]:
        from urllib.parse import urlsplit

        url = urlsplit(request.url)
        connection, target, authorization = self._connection(url, request.url)
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
                    host, url.port, timeout=self._timeout, context=self._context()
                )
            else:
                connection = http.client.HTTPConnection(host, url.port, timeout=self._timeout)
            return connection, path, {}
        authorization = _proxy_authorization(proxy)
        at = proxy.hostname or ""
        if not secure:
            connection = http.client.HTTPConnection(at, proxy.port or 80, timeout=self._timeout)
            return connection, whole, authorization
        # `set_tunnel` speaks to the proxy in the clear; TLS begins inside the tunnel.
        tunnel = http.client.HTTPSConnection(
            at, proxy.port or 80, timeout=self._timeout, context=self._context()
        )
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
