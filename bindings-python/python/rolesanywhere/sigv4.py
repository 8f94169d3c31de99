"""Signature Version 4 for requests that no AWS SDK sends."""

from __future__ import annotations

import time

from ._native import SigningKey, is_s3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .credentials import Credentials


class RequestSigner:
    """Signs requests to one service in one region, with credentials passed in each time.

    The signing key of a day is derived once. S3 is signed as it wants to be: the path as it is, the
    body's hash in a header.

    Args:
        service: the service's signing name: ``"s3"``, ``"execute-api"``, ``"es"``.
        region: the region.
        clock: what tells the time, in Unix seconds.
        s3_express_session: whether the credentials are those that ``s3express:CreateSession`` returned
            for one directory bucket of S3, whose token has a header of its own.
    """

    def __init__(
        self,
        service: str,
        region: str,
        *,
        clock: Callable[[], float] = time.time,
        s3_express_session: bool = False,
    ) -> None:
        self._service = service
        self._region = region
        self._clock = clock
        self._s3_express_session = s3_express_session
        #: Whether the service is S3, which takes bodies that are not signed.
        self.is_s3 = is_s3(service)
        # Replaced whole, so that threads need no lock.
        self._latest: tuple[Credentials, SigningKey] | None = None

    def sign(
        self,
        credentials: Credentials,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        body: bytes | None,
    ) -> list[tuple[str, str]]:
        """The headers to set on a request, in place of any of the same names.

        Args:
            credentials: with which to sign.
            method: the method, in capitals.
            url: the URL as it will be sent, percent-encoded.
            headers: the headers that will be sent, each of them once. ``host`` may be left out.
            body: the body; ``None`` when it is not signed (S3 over TLS only).

        Raises:
            InvalidInputError: the request cannot be signed as it stands.
        """
        host, path, query = _parts(url)
        listed = [(name, value) for name, value in headers if name.lower() not in _REPLACED]
        if not any(name.lower() == "host" for name, _ in listed):
            listed.append(("host", host))
        now = int(self._clock())
        return self._key(credentials, now).sign_headers(method, path, query, listed, body, now)

    def presign(
        self, credentials: Credentials, method: str, url: str, *, expires_seconds: int = 3600
    ) -> str:
        """A URL that anyone can use until it expires, or the credentials do. It is a secret.

        Args:
            expires_seconds: 1 to 604,800.

        Raises:
            InvalidInputError: the URL cannot be signed as it stands.
        """
        host, path, query = _parts(url)
        now = int(self._clock())
        signed = self._key(credentials, now).presign(
            method, path, query, [("host", host)], None, now, expires_seconds
        )
        return f"{url.partition('#')[0].partition('?')[0]}?{signed}"

    def _key(self, credentials: Credentials, now: int) -> SigningKey:
        latest = self._latest
        if latest is not None and latest[0] is credentials and latest[1].covers(now):
            return latest[1]
        key = SigningKey(
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token,
            now,
            self._region,
            self._service,
            self._s3_express_session,
        )
        self._latest = (credentials, key)
        return key


_REPLACED = (
    "authorization",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-s3session-token",
    "x-amz-content-sha256",
)


def _parts(url: str) -> tuple[str, str, str]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    default = ":443" if parts.scheme == "https" else ":80"
    if host.endswith(default):
        host = host[: -len(default)]
    return host, parts.path, parts.query
