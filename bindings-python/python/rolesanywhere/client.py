"""The synchronous client: credentials from a certificate, kept fresh, without any SDK."""

from __future__ import annotations

import os
import threading
import time
import weakref

from ._plan import MAX_ATTEMPTS, Plan
from .errors import (
    InvalidInputError,
    RolesAnywhereError,
    SigningFailedError,
    TransportFailedError,
)
from .identity import checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Any, Protocol, TypeVar, Union

    from ._native import HttpRequest, Session
    from ._sources import Source
    from .cache import Cache
    from .credentials import Credentials
    from .identity import Identity, IdentityProvider, Password, Sign, Signer

    T = TypeVar("T")
    #: Status, headers and body of an HTTP answer, content encoding undone.
    Answer = tuple[int, Iterable[tuple[str, str]], Union[bytes, bytearray]]

    class Transport(Protocol):
        """Sends a request as it stands and returns the answer, whatever its status. It raises when
        there is no answer. It follows no redirect."""

        def __call__(self, request: HttpRequest, /) -> Answer: ...


class Client:
    """Temporary credentials for one role, renewed when they are used and about to expire.

    A client may be shared by threads: one renews, the others go on with the credentials that are
    still valid, and wait only when there are none. It may be made before a fork: no child shares
    a lock, a connection or a moment of renewal with its parent.

    Args:
        trust_anchor_arn: the ARN, or alias ARN, of the trust anchor.
        profile_arn: the ARN, or alias ARN, of the profile.
        role_arn: the ARN of the role.
        certificate: the certificate: a path, PEM or base64 of PEM or DER as ``str``, or PEM, DER,
            PKCS#12, PKCS#7 or base64 of these as ``bytes``. It may hold the intermediates and the private
            key too. Files are read again when they change.
        private_key: the private key, in the same forms.
        certificate_chain: more intermediates, in the same forms.
        password: of an encrypted key or a PKCS#12 file, or a function that returns it.
        signer: a function (or coroutine function) that signs instead of a private key; a
            :class:`Signer` says what it takes and returns.
        identity: an :class:`Identity`, or a function that returns the one to use, asked at every
            renewal; instead of the five arguments before.
        region: the region to sign for; the trust anchor's when absent, and no other is accepted.
        endpoint: the URL of another endpoint: a VPC endpoint, an emulator.
        fips: whether to use the FIPS endpoint.
        dual_stack: whether to use the endpoint that answers over IPv6 too.
        duration_seconds: how long sessions last, 900 to 43200; the profile decides when absent.
        role_session_name: the session's name; the profile must accept it.
        instance_properties: properties for the service's record of the subject.
        arn_placement: ``"query"`` or ``"body"``: where the request carries the ARNs.
        transport: what sends the requests; the standard library's HTTP when absent.
        ca_bundle: a PEM file of the CAs to trust; ``AWS_CA_BUNDLE`` and then the system's when absent.
        timeout: how long to wait for the connection and for each read, in seconds.
        max_attempts: how often to send a request before a renewal counts as failed.
        cache: where to share sessions with other processes, a ``DiskCache`` for instance.
        clock: what tells the time, in Unix seconds.

    Raises:
        InvalidInputError: an argument is malformed, or a file cannot be read.
        InvalidCertificateError, InvalidKeyError, KeyMismatchError, PasswordRequiredError,
            WrongPasswordError, UnsupportedError: the identity cannot be used.
    """

    def __init__(
        self,
        trust_anchor_arn: str,
        profile_arn: str,
        role_arn: str,
        certificate: Source | None = None,
        private_key: Source | None = None,
        *,
        certificate_chain: Source | None = None,
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
        transport: Transport | None = None,
        ca_bundle: str | os.PathLike[str] | None = None,
        timeout: float = 10.0,
        max_attempts: int = MAX_ATTEMPTS,
        cache: Cache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._plan = Plan(
            trust_anchor_arn,
            profile_arn,
            role_arn,
            certificate,
            private_key,
            certificate_chain=certificate_chain,
            password=password,
            signer=signer,
            identity=identity,
            region=region,
            endpoint=endpoint,
            fips=fips,
            dual_stack=dual_stack,
            duration_seconds=duration_seconds,
            role_session_name=role_session_name,
            instance_properties=instance_properties,
            arn_placement=arn_placement,
            max_attempts=max_attempts,
            cache=cache,
            clock=clock,
        )
        if transport is None:
            from .transport import HttpTransport

            transport = HttpTransport(ca_bundle=ca_bundle, timeout=timeout)
        elif ca_bundle is not None:
            raise InvalidInputError("`ca_bundle` is given beside `transport`: configure the transport")
        self._transport: Transport = transport
        self._changed = threading.Condition()
        self._renewing = False
        _clients.add(self)

    @property
    def region(self) -> str:
        """The region of the trust anchor."""
        return self._plan.call.region

    @property
    def endpoint(self) -> str:
        """The URL of the endpoint."""
        return self._plan.call.endpoint_url

    @property
    def current(self) -> Credentials | None:
        """The credentials at hand, valid or not, without renewing; ``None`` before the first."""
        return self._plan.credentials

    def renewal_is_due(self) -> bool:
        """Whether :meth:`credentials` would renew, in the background or at once."""
        return self._plan.renewal_is_due()

    def seconds_left(self) -> float:
        """How long the credentials at hand are valid, by the service's clock; 0 without any."""
        return self._plan.seconds_left()

    def credentials(self) -> Credentials:
        """Credentials that are valid now, from the last renewal or a new one.

        When a renewal fails, the credentials at hand are returned as long as they are valid. When
        there are none, the failure is raised, and raised again until the next try is due (five
        seconds to five minutes later, longer after each failure).

        Raises:
            RolesAnywhereError: there are no credentials: a subclass says why.
        """
        plan = self._plan
        while True:
            usable = plan.usable()
            if usable is not None:
                return usable
            with self._changed:
                # The time is read under the lock: who waited for it must not ask with an old one.
                step = plan.next(plan.clock())
                held = plan.credentials
                if step == "use" and held is not None:
                    return held
                if step == "wait":
                    raise plan.last_error()
                if self._renewing:
                    if step == "use_and_renew" and held is not None:
                        return held
                    self._changed.wait()
                    continue
                self._renewing = True
            try:
                self._renew()
            except RolesAnywhereError as error:
                with self._changed:
                    plan.failed(error)
                    if not plan.renewal.is_valid(int(plan.clock())):
                        raise
                _log_failure(error)
            finally:
                with self._changed:
                    self._renewing = False
                    self._changed.notify_all()

    def create_session(self) -> Session:
        """Calls CreateSession once, past the cache and the plan of renewals, and returns all that
        the service says. No credentials of the client change.

        Raises:
            RolesAnywhereError: a subclass says why.
        """
        return self._call(self._identity())

    def _renew(self) -> None:
        plan = self._plan
        identity = self._identity()
        cache = plan.cache
        if cache is None:
            session = self._call(identity)
            with self._changed:
                plan.renewed(session)
            return
        key = plan.cache_key(identity)
        if self._restore(cache, key):
            return
        with cache.lock(key):
            # Who held the lock before may have renewed.
            if self._restore(cache, key):
                return
            session = self._call(identity)
            with self._changed:
                credentials = plan.renewed(session)
                stored = plan.dump(session)
            remaining = int(credentials.expires_at - plan.clock())
            cache.store(key, stored, max(1, remaining))

    def _restore(self, cache: Cache, key: str) -> bool:
        stored = cache.load(key)
        with self._changed:
            return self._plan.restore(stored)

    def _identity(self) -> Identity:
        try:
            return checked(_run(self._plan.identity()))
        except RolesAnywhereError:
            raise
        except Exception as error:
            raise InvalidInputError(f"the identity provider failed: {error}") from error

    def _call(self, identity: Identity) -> Session:
        plan, skew, attempt, corrected = self._plan, 0, 0, False
        while True:
            attempt += 1
            try:
                return self._attempt(identity, skew)
            except RolesAnywhereError as error:
                offset = None if corrected else plan.skew(error)
                if offset is not None:
                    skew, corrected = offset, True
                    continue
                pause = plan.pause(error, attempt)
                if pause is None:
                    raise
            time.sleep(pause)

    def _attempt(self, identity: Identity, skew: int) -> Session:
        unsigned = self._plan.prepare(identity, skew)
        if identity.signer is None:
            assert identity.key is not None
            request = unsigned.sign(identity.key)
        else:
            try:
                signature = _run(identity.signer.call(unsigned))
            except RolesAnywhereError:
                raise
            except Exception as error:
                raise signing_failed(error) from error
            request = identity.signer.signed(unsigned, signature)
        try:
            status, headers, body = self._transport(request)
        except RolesAnywhereError:
            raise
        except Exception as error:
            raise transport_failed(self.endpoint, error) from error
        return self._plan.received(status, headers, body)

    def after_fork(self) -> None:
        """What no two processes may share is made anew; runs in the child, before its threads."""
        self._changed = threading.Condition()
        self._renewing = False
        self._plan.forget_process()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"


def signing_failed(error: Exception) -> SigningFailedError:
    """What an exception of a signer of the caller's becomes."""
    return SigningFailedError(f"the signer raised {type(error).__name__}: {error}")


def transport_failed(endpoint: str, error: Exception) -> TransportFailedError:
    """What an exception of a transport becomes."""
    reason = str(error) or type(error).__name__
    return TransportFailedError(
        f"no answer from `{endpoint}`: {reason}; check the network, the proxy and the CA bundle"
    )


def _run(value: T | Awaitable[T]) -> T:
    """The value, awaited when it wants to be: a coroutine function serves a synchronous client too."""
    awaitable: Any = value
    if not hasattr(value, "__await__"):
        plain: T = awaitable
        return plain
    import asyncio

    async def await_value() -> T:
        try:
            result: T = await awaitable
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise  # Ctrl-C
            raise RuntimeError("it was cancelled") from error
        return result

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(await_value())
    # This thread has a loop, which must not wait for itself.
    outcome: list[T] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(asyncio.run(await_value()))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def is_cancelled() -> bool:
    """Whether the running task itself has been cancelled, and not only what it awaited. Python 3.9 and
    3.10 cannot tell: there it is taken for itself."""
    import asyncio

    task: Any = asyncio.current_task()
    return task is None or not hasattr(task, "cancelling") or bool(task.cancelling())


def _log_failure(error: RolesAnywhereError) -> None:
    import logging

    logging.getLogger("rolesanywhere").warning(
        "renewal failed, the credentials at hand are used on: %s", error
    )


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _reset_clients() -> None:
    for client in list(_clients):
        client.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_clients)
