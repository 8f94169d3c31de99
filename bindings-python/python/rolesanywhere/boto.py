"""boto3 and botocore: sessions, credentials that renew themselves, and the default chain."""

from __future__ import annotations

import os
import threading
import weakref

import botocore.credentials
import botocore.session
from botocore.compat import compat_shell_split
from botocore.endpoint import DEFAULT_TIMEOUT

from . import _profile
from ._botocore_http import BotocoreTransport as BotocoreTransport
from .client import Client
from .errors import InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypedDict

    import boto3
    from typing_extensions import Unpack

    from ._sources import Source
    from .aio import AsyncClient
    from .cache import Cache
    from .credentials import Credentials
    from .identity import Identity, IdentityProvider, Password, Sign, Signer

    class ClientOptions(TypedDict, total=False):
        """The keywords of :class:`Client` that make sense beside an SDK, which has its own HTTP."""

        certificate_chain: Source | None
        password: Password | None
        signer: Signer | Sign | None
        identity: Identity | IdentityProvider | None
        region: str | None
        endpoint: str | None
        fips: bool
        dual_stack: bool
        duration_seconds: int | None
        role_session_name: str | None
        instance_properties: Mapping[str, str] | None
        arn_placement: str
        timeout: float | None
        max_attempts: int | None
        cache: Cache | None
        clock: Callable[[], float]


#: What botocore calls the way in which the credentials were found.
METHOD = "roles-anywhere"


def boto3_session(
    trust_anchor_arn: str,
    profile_arn: str,
    role_arn: str,
    certificate: Source | None = None,
    private_key: Source | None = None,
    *,
    region_name: str | None = None,
    profile_name: str | None = None,
    **options: Unpack[ClientOptions],
) -> boto3.session.Session:
    """A boto3 session whose credentials come from a certificate and renew themselves.

    Args:
        region_name: the region of the session's clients; the usual configuration, then the trust
            anchor's region when absent.
        profile_name: the profile of ``~/.aws/config`` that other settings are read from.
        options: as for :class:`Client`. Proxies, CA bundle and number of attempts are botocore's.

    Raises:
        RolesAnywhereError: as :class:`Client`.
    """
    import boto3

    session = botocore_session(
        trust_anchor_arn,
        profile_arn,
        role_arn,
        certificate,
        private_key,
        profile_name=profile_name,
        **options,
    )
    if region_name is not None:
        session.set_config_variable("region", region_name)
    return boto3.session.Session(botocore_session=session)


def botocore_session(
    trust_anchor_arn: str,
    profile_arn: str,
    role_arn: str,
    certificate: Source | None = None,
    private_key: Source | None = None,
    *,
    profile_name: str | None = None,
    session: botocore.session.Session | None = None,
    **options: Unpack[ClientOptions],
) -> botocore.session.Session:
    """A botocore session with such credentials.

    Args:
        session: a session to give the credentials to, instead of a new one.
        options: as for :func:`boto3_session`.

    Raises:
        RolesAnywhereError: as :class:`Client`.
    """
    if session is None:
        session = botocore.session.Session(profile=profile_name)
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
    )
    attach(session, client)
    return session


def attach(session: botocore.session.Session, client: Client) -> None:
    """Gives a botocore session the credentials of a client, before all that it would look for."""
    if session.get_config_variable("region") is None:
        session.set_config_variable("region", client.region)
    resolver = session.get_component("credential_provider")
    resolver.providers.insert(0, _Given(client))


class RolesAnywhereCredentials(botocore.credentials.DeferredRefreshableCredentials):
    """botocore's refreshable credentials, renewed as the client decides.

    botocore's own windows of 15 and 10 minutes would renew a session of 15 minutes at every use.
    Nothing is held here, so there is nothing to lock and nothing that a fork could break.
    """

    def __init__(self, client: Client) -> None:
        super().__init__(refresh_using=self._renewed, method=METHOD)
        self._client = client

    # botocore lets credentials be set; these come from the client alone.
    @property  # type: ignore[misc]
    def access_key(self) -> str:  # type: ignore[override]
        return self._client.credentials().access_key_id

    @property  # type: ignore[misc]
    def secret_key(self) -> str:  # type: ignore[override]
        return self._client.credentials().secret_access_key

    @property  # type: ignore[misc]
    def token(self) -> str:  # type: ignore[override]
        return self._client.credentials().session_token

    @property  # type: ignore[misc]
    def account_id(self) -> str | None:  # type: ignore[override]
        return self._client.credentials().account_id

    def get_frozen_credentials(self) -> botocore.credentials.ReadOnlyCredentials:
        """Credentials of one session, which do not change."""
        return frozen(self._client.credentials())

    def refresh_needed(self, refresh_in: int | None = None) -> bool:
        """Whether the credentials end within so many seconds; without an argument, whether the next
        use renews them."""
        return needs_renewal(self._client, refresh_in)

    def _refresh(self) -> None:
        self._client.credentials()

    def _renewed(self) -> dict[str, Any]:
        return metadata(self._client.credentials())


class RolesAnywhereProvider(botocore.credentials.CredentialProvider):
    """Finds the configuration of one profile, or of the environment, for botocore's chain.

    Args:
        session: the session that the chain belongs to.
        profile_name: the profile; ``None`` to read the environment variables instead.
        cache: where to share sessions with other processes.
    """

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

    def load(self) -> RolesAnywhereCredentials | None:
        """The credentials; ``None`` when nothing is configured, for the next provider to look."""
        options = find_options(self._session, self._profile_name)
        if options is None:
            return None
        return RolesAnywhereCredentials(_shared_client(self._session, options, self._cache))


class _Given(botocore.credentials.CredentialProvider):
    METHOD = METHOD

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def load(self) -> RolesAnywhereCredentials:
        return RolesAnywhereCredentials(self._client)


def install(
    session: botocore.session.Session | boto3.session.Session | None = None,
    *,
    cache: Cache | None = None,
) -> None:
    """Puts the provider into botocore's chain: into one session's, or into that of every session
    made from now on.

    The chain then finds, in this order of its own: the ``AWS_ROLESANYWHERE_*`` environment variables
    (before any profile, after ``AWS_ACCESS_KEY_ID``), then the ``rolesanywhere_*`` keys of the profile,
    then a ``credential_process`` line that calls ``aws_signing_helper credential-process`` or
    ``rolesanywhere credential-process``, which is served in this process. Profiles that others name
    as their ``source_profile`` are served too. To be called again changes only the cache.

    Args:
        session: the session whose chain gets the provider; all sessions to come when absent.
        cache: where to share sessions with other processes.
    """
    if session is None:
        install_globally(botocore.credentials.ProfileProviderBuilder, RolesAnywhereProvider, cache)
        return
    core: Any = getattr(session, "_session", session)
    resolver = core.get_component("credential_provider")
    profile = core.get_config_variable("profile") or "default"
    explicit = core.instance_variables().get("profile") is not None
    insert(
        resolver.providers,
        None if explicit else RolesAnywhereProvider(core, None, cache),
        RolesAnywhereProvider(core, profile, cache),
    )


def uninstall() -> None:
    """Takes the provider out of the chain of sessions made from now on."""
    for builder, original in list(_installed.items()):
        builder.providers = original
        del _installed[builder]


def insert(providers: list[Any], environment: Any | None, profile: Any) -> None:
    """Puts providers into a chain: the environment's before those of profiles, the profile's before
    the one that runs ``credential_process``."""
    methods = [provider.METHOD for provider in providers]
    providers.insert(methods.index("custom-process"), profile)
    if environment is not None:
        first = ("assume-role-with-web-identity", "sso", "shared-credentials-file")
        places = [methods.index(method) for method in first if method in methods]
        providers.insert(min(places, default=0), environment)


_installed: dict[Any, Any] = {}


def install_globally(builder: Any, provider: Any, cache: Cache | None) -> None:
    """Puts a provider into the chain that a builder of botocore's or aiobotocore's makes."""
    original = _installed.setdefault(builder, builder.providers)

    def providers(self: Any, profile_name: str, disable_env_vars: bool = False) -> list[Any]:
        found: list[Any] = original(self, profile_name, disable_env_vars)
        insert(
            found,
            None if disable_env_vars else provider(self._session, None, cache),
            provider(self._session, profile_name, cache),
        )
        return found

    builder.providers = providers


def find_options(
    session: botocore.session.Session, profile_name: str | None
) -> _profile.Options | None:
    """The configuration of a profile, or of the environment when there is no profile name."""
    if profile_name is None:
        return _profile.from_environment(os.environ)
    profile = session.full_config.get("profiles", {}).get(profile_name, {})
    options = _profile.from_profile(profile, profile_name)
    line = profile.get("credential_process")
    if options is None and isinstance(line, str):
        options = _profile.from_credential_process(compat_shell_split(line))
    return options


def common_options(
    session: botocore.session.Session, options: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords for a client, and those for its transport, completed by what is configured for
    every client of the session."""
    made = {key: value for key, value in options.items() if value is not None}
    transport: dict[str, Any] = {"verify": made.pop("verify", None)}
    connect, read = made.pop("connect_timeout", None), made.pop("read_timeout", None)
    config: Any = session.get_default_client_config()
    if connect is None and read is None and config is not None:
        configured = (config.connect_timeout, config.read_timeout)
        connect, read = (None if value == DEFAULT_TIMEOUT else value for value in configured)
    if read is not None:
        # An attempt is both.
        made.setdefault("timeout", float(read) + float(connect or 0))
    if connect is not None or read is not None:
        transport["timeouts"] = (connect or DEFAULT_TIMEOUT, read or DEFAULT_TIMEOUT)
    endpoint = _profile.endpoint_from_environment(os.environ)
    if "endpoint" not in made and endpoint is not None:
        made["endpoint"] = endpoint
    if "endpoint" not in made:
        for option, variable in (
            ("fips", "use_fips_endpoint"),
            ("dual_stack", "use_dualstack_endpoint"),
        ):
            if option not in made and session.get_config_variable(variable):
                made[option] = True
    attempts = session.get_config_variable("max_attempts")
    if "max_attempts" not in made and attempts:
        made["max_attempts"] = int(attempts)
    return made, transport


def _client(session: botocore.session.Session, options: Mapping[str, Any]) -> Client:
    made, transport = common_options(session, options)
    return Client(transport=BotocoreTransport(session, **transport), **made)


_shared: weakref.WeakValueDictionary[tuple[Any, ...], Client] = weakref.WeakValueDictionary()
_sharing = threading.Lock()


def _renew_lock() -> None:
    global _sharing
    _sharing = threading.Lock()  # a thread that held it at the fork does not exist in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def _shared_client(
    session: botocore.session.Session, options: _profile.Options, cache: Cache | None
) -> Client:
    """One client for all sessions of the process that are configured alike: one session of the
    service's serves them all."""
    made, transport = common_options(session, options)
    key = (
        # Without secrets: a key outlives what was done with it.
        tuple((name, _told(value)) for name, value in sorted(made.items()) if not callable(value)),
        tuple(sorted((name, str(value)) for name, value in transport.items())),
        session.get_config_variable("ca_bundle"),
        id(cache),
    )
    client = _shared.get(key)
    if client is None:
        # Made outside the lock: a password may be asked for. Of two, the first one counts.
        made_now = Client(transport=BotocoreTransport(session, **transport), cache=cache, **made)
        with _sharing:
            client = _shared.setdefault(key, made_now)
    return client


def _told(value: Any) -> Any:
    """What tells an option from another, from which it cannot be read."""
    import hashlib

    if isinstance(value, str):
        return hashlib.sha256(value.encode(errors="surrogatepass")).digest()
    return value


def frozen(credentials: Credentials) -> botocore.credentials.ReadOnlyCredentials:
    """Credentials as botocore signs with them."""
    return botocore.credentials.ReadOnlyCredentials(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        credentials.account_id,
    )


def metadata(credentials: Credentials) -> dict[str, Any]:
    """Credentials as botocore's ``refresh_using`` returns them."""
    return {
        "access_key": credentials.access_key_id,
        "secret_key": credentials.secret_access_key,
        "token": credentials.session_token,
        "expiry_time": credentials.expiration.isoformat(),
        "account_id": credentials.account_id,
    }


def needs_renewal(client: Client | AsyncClient, refresh_in: int | None) -> bool:
    """botocore's ``refresh_needed``, of a client."""
    held = client.current
    if held is None:
        return True
    if refresh_in is None:
        return client.renewal_is_due()
    return client.seconds_left() < refresh_in
