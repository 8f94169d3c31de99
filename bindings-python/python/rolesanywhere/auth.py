"""Signing for the users of ``requests`` and ``httpx``: pass it as ``auth``.

    requests.get(url, auth=rolesanywhere.auth.RequestsAuth(client, "execute-api"))
    httpx.Client(auth=rolesanywhere.auth.httpx_auth(client, "s3"))
    httpx.AsyncClient(auth=rolesanywhere.auth.httpx_auth(async_client, "s3"))
"""

from __future__ import annotations

from .errors import InvalidInputError
from .sigv4 import RequestSigner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterable

    import httpx
    import requests

    from .aio import AsyncClient
    from .client import Client

# Headers that are signed: what every service needs, and all of AWS's own.
_SIGNED = ("content-type", "content-md5", "host", "range")


class RequestsAuth:
    """Signs the requests of ``requests``.

    Args:
        client: whose credentials sign.
        service: the service's signing name: ``"s3"``, ``"execute-api"``, ``"es"``.
        region: the region; the client's when absent.
    """

    def __init__(self, client: Client, service: str, region: str | None = None) -> None:
        self._client = client
        self._service = service
        self._signer = RequestSigner(service, region or client.region)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # `requests` says bytes or str, and passes on whatever it can iterate over.
        given: object = request.body
        body: bytes | None = b""
        if isinstance(given, str):
            body = given.encode()
        elif isinstance(given, bytes):
            body = given
        elif given is not None:
            if not self._signer.is_s3:
                raise InvalidInputError(
                    f"a streamed body cannot be signed for `{self._service}`: pass the body as bytes"
                )
            body = None  # S3 takes bodies unsigned, over TLS
        if request.method is None or request.url is None:
            raise InvalidInputError("the request has no method or no URL: prepare it first")
        request.url = _signable(request.url)
        signed = self._signer.sign(
            self._client.credentials(),
            request.method,
            request.url,
            _signed_headers(request.headers.items()),
            body,
        )
        request.headers.update(dict(signed))
        return request

    def __repr__(self) -> str:
        return f"RequestsAuth({self._client!r})"


def httpx_auth(
    client: Client | AsyncClient, service: str, region: str | None = None
) -> httpx.Auth:
    """Signs the requests of ``httpx``: a :class:`Client` for ``httpx.Client``, an
    :class:`AsyncClient` for ``httpx.AsyncClient``.

    Args:
        client: whose credentials sign.
        service: the service's signing name.
        region: the region; the client's when absent.
    """
    import httpx

    from .aio import AsyncClient

    signer = RequestSigner(service, region or client.region)

    class Auth(httpx.Auth):
        requires_request_body = not signer.is_s3

        def sync_auth_flow(
            self, request: httpx.Request
        ) -> Generator[httpx.Request, httpx.Response, None]:
            if isinstance(client, AsyncClient):
                raise InvalidInputError("an AsyncClient cannot sign for httpx.Client: pass a Client")
            body = _httpx_body(request) if signer.is_s3 else request.read()
            request.url = httpx.URL(_signable(str(request.url)))
            held = client.credentials()
            _set(request, signer.sign(held, *_httpx_parts(request), body))
            yield request

        async def async_auth_flow(
            self, request: httpx.Request
        ) -> AsyncGenerator[httpx.Request, httpx.Response]:
            if not isinstance(client, AsyncClient):
                raise InvalidInputError(
                    "a Client would block the loop of httpx.AsyncClient: pass an AsyncClient"
                )
            body = _httpx_body(request) if signer.is_s3 else await request.aread()
            request.url = httpx.URL(_signable(str(request.url)))
            held = await client.credentials()
            _set(request, signer.sign(held, *_httpx_parts(request), body))
            yield request

    return Auth()


def _signable(url: str) -> str:
    """The URL as it is signed and sent: both libraries write a space in a query as ``+``, which
    signatures and some services read as a plus."""
    before, mark, query = url.partition("?")
    return before + mark + query.replace("+", "%20")


def _httpx_body(request: httpx.Request) -> bytes | None:
    import httpx

    try:
        return request.content
    except httpx.RequestNotRead:
        return None  # S3 takes bodies unsigned, over TLS


def _httpx_parts(request: httpx.Request) -> tuple[str, str, list[tuple[str, str]]]:
    return request.method, str(request.url), _signed_headers(request.headers.items())


def _set(request: httpx.Request, headers: list[tuple[str, str]]) -> None:
    for name, value in headers:
        request.headers[name] = value


def _signed_headers(headers: Iterable[tuple[str, str | bytes]]) -> list[tuple[str, str]]:
    listed: list[tuple[str, str]] = []
    for name, value in headers:
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        if name.lower() in _SIGNED or name.lower().startswith("x-amz-"):
            listed.append((str(name), text))
    return listed
