"""The construction of both clients, and their methods that do not wait."""

from __future__ import annotations

import os
import time
import weakref

from . import _native
from ._driver import Lifecycle
from .errors import InvalidInputError
from .identity import Identity, IdentityFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._sources import AnySource
    from .aio import AsyncTransport
    from .cache import Cache
    from .client import Transport
    from .credentials import Credentials
    from .identity import IdentityProvider, Password, Sign, Signer


class Base:
    """A client without the methods that wait."""

    def __init__(
        self,
        trust_anchor_arn: str,
        profile_arn: str,
        role_arn: str,
        certificate: AnySource | None = None,
        private_key: AnySource | None = None,
        *,
        certificate_chain: AnySource | None = None,
        password: Password | None = None,
        signer: Signer | Sign | None = None,
        identity: Identity | IdentityProvider | None = None,
        region: str | None = None,
        endpoint: str | None = None,
        fips: bool = False,
        dual_stack: bool = False,
        duration_seconds: int | None = None,
        role_session_name: str | None = None,
        instance_properties: Mapping[str, str] | None = None,
        arn_placement: str = "query",
        transport: AsyncTransport | Transport | None = None,
        ca_bundle: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
        max_attempts: int | None = None,
        cache: Cache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # A transport that accepts any server is for tests, and so is plain HTTP then.
        verifies = getattr(transport, "verifies", True)
        call = _native.CreateSession(
            trust_anchor_arn,
            profile_arn,
            role_arn,
            region=region,
            endpoint=endpoint,
            fips=fips,
            dual_stack=dual_stack,
            duration_seconds=duration_seconds,
            role_session_name=role_session_name,
            instance_properties=None if instance_properties is None else dict(instance_properties),
            arn_placement=arn_placement,
            plain_http=not verifies,
        )
        if max_attempts is not None and max_attempts < 1:
            raise InvalidInputError(f"`max_attempts` is {max_attempts}: at least one is needed")
        if timeout is not None and not timeout > 0:
            raise InvalidInputError(f"`timeout` is {timeout}: pass seconds above 0")
        if transport is None:
            from .transport import HttpTransport

            transport = HttpTransport(ca_bundle=ca_bundle)
        elif ca_bundle is not None:
            raise InvalidInputError("`ca_bundle` is given beside `transport`: configure the transport")
        provider = _identity_provider(
            identity, certificate, private_key, certificate_chain, password, signer
        )
        policy = {"attempts": max_attempts, "attempt_timeout": timeout}
        self._life = Lifecycle(call, provider, transport, cache, policy, clock)
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        """Makes the objects that callers wait with; again after a fork."""

    @property
    def region(self) -> str:
        """The region of the trust anchor."""
        return self._life.call.region

    @property
    def endpoint(self) -> str:
        """The URL of the endpoint."""
        return self._life.call.endpoint_url

    @property
    def current(self) -> Credentials | None:
        """The credentials at hand, valid or not, without renewing; ``None`` before the first."""
        return self._life.credentials

    def renewal_is_due(self) -> bool:
        """Whether :meth:`credentials` would renew, in the background or at once."""
        return self._life.renewal_is_due()

    def seconds_left(self) -> float:
        """How long the credentials at hand are valid, by the service's clock; 0 without any."""
        return self._life.seconds_left()

    def after_fork(self) -> None:
        """Makes anew all that two processes must not share; runs in the child, before its threads."""
        self._life.after_fork()
        self._begin()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"


def _identity_provider(
    identity: Identity | IdentityProvider | None,
    certificate: AnySource | None,
    private_key: AnySource | None,
    certificate_chain: AnySource | None,
    password: Password | None,
    signer: Signer | Sign | None,
) -> Identity | IdentityProvider:
    if identity is None:
        if certificate is None:
            raise InvalidInputError("no certificate is given: pass `certificate` or `identity`")
        files = IdentityFiles(certificate, private_key, certificate_chain, password, signer)
        files()  # what is wrong with them is said now, not at the first use
        return files
    rest = (certificate, private_key, certificate_chain, password, signer)
    if any(value is not None for value in rest):
        raise InvalidInputError(
            "`identity` is given beside a certificate, key, password or signer: pass one or the other"
        )
    return identity


_clients: weakref.WeakSet[Base] = weakref.WeakSet()


def _reset_clients() -> None:
    for client in list(_clients):
        client.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_clients)
