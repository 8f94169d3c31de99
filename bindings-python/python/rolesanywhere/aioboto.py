"""aiobotocore: sessions, credentials that renew themselves, and the default chain, for asyncio."""

from __future__ import annotations

import asyncio

import aiobotocore.credentials
import aiobotocore.httpsession
import aiobotocore.session
import botocore.credentials

from ._botocore_http import BotocoreTransport, prepared
from .aio import AsyncClient
from .boto import (
    METHOD,
    common_options,
    find_options,
    frozen,
    insert,
    metadata,
    needs_renewal,
)
from .errors import InvalidInputError
from .transport import MAX_RESPONSE_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import botocore.session
    from typing_extensions import Unpack

    from ._native import HttpRequest
    from ._sources import Source
    from .boto import ClientOptions
    from .cache import Cache


def get_session(
    trust_anchor_arn: str,
    profile_arn: str,
    role_arn: str,
    certificate: Source | None = None,
    private_key: Source | None = None,
    *,
    profile_name: str | None = None,
    session: aiobotocore.session.AioSession | None = None,
    **options: Unpack[ClientOptions],
) -> aiobotocore.session.AioSession:
    """An aiobotocore session whose credentials come from a certificate and renew themselves.

    Args:
        session: a session to give the credentials to, instead of a new one.
        options: as for :class:`AsyncClient`; proxies and CA bundle are the session's.

    Raises:
        RolesAnywhereError: as :class:`AsyncClient`.
    """
    if session is None:
        session = aiobotocore.session.AioSession(profile=profile_name)
    elif profile_name is not None:
        raise InvalidInputError("`profile_name` is given beside `session`: set the session's profile")
    client = _client(
        session,
        {
            "trust_anchor_arn": trust_anchor_arn,
            "profile_arn": profile_arn,
            "role_arn": role_arn,
            "certificate": certificate,
            "private_key": private_key,
            **options,
        },
        None,
    )
    if session.get_config_variable("region") is None:
        session.set_config_variable("region", client.region)
    session.get_component("credential_provider").providers.insert(0, _Given(client))
    return session


def install(
    session: aiobotocore.session.AioSession | None = None, *, cache: Cache | None = None
) -> None:
    """As :func:`rolesanywhere.install`, for aiobotocore's sessions; ``rolesanywhere.uninstall`` takes
    it back."""
    if session is None:
        from .boto import install_globally

        builder = aiobotocore.credentials.AioProfileProviderBuilder
        install_globally(builder, AioRolesAnywhereProvider, cache)
        return
    resolver = session.get_component("credential_provider")
    profile = session.get_config_variable("profile") or "default"
    explicit = session.instance_variables().get("profile") is not None
    insert(
        resolver.providers,
        None if explicit else AioRolesAnywhereProvider(session, None, cache),
        AioRolesAnywhereProvider(session, profile, cache),
    )


class AioRolesAnywhereCredentials(aiobotocore.credentials.AioDeferredRefreshableCredentials):
    """aiobotocore's refreshable credentials, renewed as the client decides."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(refresh_using=self._renewed, method=METHOD)
        self._client = client

    async def get_access_key(self) -> str:
        return (await self._client.credentials()).access_key_id

    async def get_secret_key(self) -> str:
        return (await self._client.credentials()).secret_access_key

    async def get_token(self) -> str:
        return (await self._client.credentials()).session_token

    async def get_account_id(self) -> str | None:
        return (await self._client.credentials()).account_id

    async def get_frozen_credentials(  # type: ignore[override]  # as aiobotocore's own
        self,
    ) -> botocore.credentials.ReadOnlyCredentials:
        """Credentials of one session, which do not change."""
        return frozen(await self._client.credentials())

    def refresh_needed(self, refresh_in: int | None = None) -> bool:
        """Whether the credentials end within so many seconds; without an argument, whether the next
        use renews them."""
        return needs_renewal(self._client, refresh_in)

    async def _refresh(self) -> None:
        await self._client.credentials()

    async def _renewed(self) -> dict[str, Any]:
        return metadata(await self._client.credentials())


class AioRolesAnywhereProvider(botocore.credentials.CredentialProvider):
    """As :class:`rolesanywhere.boto.RolesAnywhereProvider`, for aiobotocore's chain."""

    METHOD = METHOD

    def __init__(
        self,
        session: botocore.session.Session,
        profile_name: str | None,
        cache: Cache | None = None,
    ) -> None:
        super().__init__(session)
        self._session = session
        self._profile_name = profile_name
        self._cache = cache

    async def load(self) -> AioRolesAnywhereCredentials | None:
        """The credentials; ``None`` when nothing is configured, for the next provider to look."""
        options = await asyncio.to_thread(find_options, self._session, self._profile_name)
        if options is None:
            return None
        return AioRolesAnywhereCredentials(_client(self._session, options, self._cache))


class _Given(botocore.credentials.CredentialProvider):
    METHOD = METHOD

    def __init__(self, client: AsyncClient) -> None:
        super().__init__()
        self._client = client

    async def load(self) -> AioRolesAnywhereCredentials:
        return AioRolesAnywhereCredentials(self._client)


class AioBotocoreTransport(BotocoreTransport):
    """Sends requests through aiobotocore's HTTP, configured as botocore's.

    A connection belongs to an event loop, and a renewal comes once in a quarter of an hour at most:
    each has a connection of its own.
    """

    async def __call__(self, request: HttpRequest) -> tuple[int, list[tuple[str, str]], bytes]:  # type: ignore[override]
        return await self.within(request, None)

    async def within(  # type: ignore[override]
        self, request: HttpRequest, seconds: float | None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Sends a request and reads the answer. The client cancels it when the time is over."""
        settings = self.settings(request.url)
        async with aiobotocore.httpsession.AIOHTTPSession(**settings) as http:
            message: Any = prepared(self._session, request)
            response: Any = await http.send(message)
            body = b""
            try:
                async for piece in response.raw.content.iter_any():
                    body += piece
                    if len(body) > MAX_RESPONSE_LENGTH:
                        break
            finally:
                response.raw.close()
            return response.status_code, list(response.headers.items()), body


def _client(
    session: botocore.session.Session, options: Mapping[str, Any], cache: Cache | None
) -> AsyncClient:
    made, transport = common_options(session, options)
    if cache is not None:
        made["cache"] = cache
    return AsyncClient(transport=AioBotocoreTransport(session, **transport), **made)
