"""The asynchronous client: the same as :class:`Client`, for asyncio."""

from __future__ import annotations

import asyncio
import os
import time
import weakref

from ._plan import MAX_ATTEMPTS, Plan
from .client import is_cancelled, signing_failed, transport_failed
from .errors import InvalidInputError, RolesAnywhereError, SigningFailedError
from .identity import checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any, Protocol, TypeVar

    from ._native import HttpRequest, Session
    from ._sources import Source
    from .cache import Cache
    from .client import Answer, Transport
    from .credentials import Credentials
    from .identity import Identity, IdentityProvider, Password, Sign, Signer

    T = TypeVar("T")

    class AsyncTransport(Protocol):
        """As :class:`Transport`, awaited."""

        def __call__(self, request: HttpRequest, /) -> Awaitable[Answer]: ...


class AsyncClient:
    """Temporary credentials for one role, for asyncio.

    One renewal is in flight in an event loop at a time; tasks that find the credentials still valid
    do not wait for it. Files, caches and signers that are not coroutine functions run in threads.

    The arguments are those of :class:`Client`, save that ``transport``, ``signer`` and ``identity``
    may be coroutine functions; without a ``transport`` the standard library's HTTP runs in a thread.

    Raises:
        RolesAnywhereError: as :class:`Client`.
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
        transport: AsyncTransport | Transport | None = None,
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
        self._transport: AsyncTransport | Transport = transport
        self.after_fork()
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

    async def credentials(self) -> Credentials:
        """Credentials that are valid now; see :meth:`Client.credentials`.

        When renewal is due and the credentials are still good, they are returned at once and renewed
        by a task of the running loop.

        Raises:
            RolesAnywhereError: there are no credentials: a subclass says why.
        """
        plan = self._plan
        while True:
            usable = plan.usable()
            if usable is not None:
                return usable
            step, held = plan.next(plan.clock()), plan.credentials
            if step == "use" and held is not None:
                return held
            if step == "wait":
                raise plan.last_error()
            task = self._task()
            if step == "use_and_renew" and held is not None:
                return held
            try:
                # Shielded: whoever is cancelled must not take the renewal from the others.
                error = await asyncio.shield(task)
            except asyncio.CancelledError as cancelled:
                if not task.cancelled() or is_cancelled():
                    raise
                # The signer or the transport was cancelled, which is not this caller's end.
                raise SigningFailedError("the renewal was cancelled: try again") from cancelled
            if error is not None and not plan.renewal.is_valid(int(plan.clock())):
                raise plan.last_error() if plan.error is not None else error

    async def create_session(self) -> Session:
        """Calls CreateSession once, past the cache and the plan of renewals.

        Raises:
            RolesAnywhereError: a subclass says why.
        """
        return await self._call(await self._identity())

    def _task(self) -> asyncio.Task[RolesAnywhereError | None]:
        """The renewal in flight in this loop, begun when there is none."""
        loop = asyncio.get_running_loop()
        task = self._tasks.get(loop)
        if task is None or task.done():
            task = loop.create_task(self._renew())
            self._tasks[loop] = task
        return task

    async def _renew(self) -> RolesAnywhereError | None:
        """Renews; returns the failure, so that a task that nobody awaits complains to nobody."""
        plan = self._plan
        try:
            await self._renew_or_raise()
        except RolesAnywhereError as error:
            plan.failed(error)
            if plan.renewal.is_valid(int(plan.clock())):
                import logging

                logging.getLogger("rolesanywhere").warning(
                    "renewal failed, the credentials at hand are used on: %s", error
                )
            return error
        return None

    async def _renew_or_raise(self) -> None:
        plan = self._plan
        identity = await self._identity()
        cache = plan.cache
        if cache is None:
            plan.renewed(await self._call(identity))
            return
        key = plan.cache_key(identity)
        if plan.restore(await asyncio.to_thread(cache.load, key)):
            return
        lock = cache.lock(key)
        await asyncio.to_thread(lock.__enter__)
        try:
            # Who held the lock before may have renewed.
            if plan.restore(await asyncio.to_thread(cache.load, key)):
                return
            session = await self._call(identity)
            credentials = plan.renewed(session)
            remaining = max(1, int(credentials.expires_at - plan.clock()))
            await asyncio.to_thread(cache.store, key, plan.dump(session), remaining)
        finally:
            await asyncio.to_thread(lock.__exit__, None, None, None)

    async def _identity(self) -> Identity:
        try:
            return checked(await _awaited(self._plan.identity))
        except RolesAnywhereError:
            raise
        except Exception as error:
            raise InvalidInputError(f"the identity provider failed: {error}") from error

    async def _call(self, identity: Identity) -> Session:
        plan, skew, attempt, corrected = self._plan, 0, 0, False
        while True:
            attempt += 1
            try:
                return await self._attempt(identity, skew)
            except RolesAnywhereError as error:
                offset = None if corrected else plan.skew(error)
                if offset is not None:
                    skew, corrected = offset, True
                    continue
                pause = plan.pause(error, attempt)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def _attempt(self, identity: Identity, skew: int) -> Session:
        unsigned = self._plan.prepare(identity, skew)
        if identity.signer is None:
            assert identity.key is not None
            # A millisecond or less: a thread would cost as much.
            request = unsigned.sign(identity.key)
        else:
            signer = identity.signer
            try:
                signature = await _awaited(lambda: signer.call(unsigned), signer.is_coroutine)
            except RolesAnywhereError:
                raise
            except Exception as error:
                raise signing_failed(error) from error
            request = signer.signed(unsigned, signature)
        transport = self._transport
        try:
            status, headers, body = await _awaited(
                lambda: transport(request), _is_coroutine(transport)
            )
        except RolesAnywhereError:
            raise
        except Exception as error:
            raise transport_failed(self.endpoint, error) from error
        return self._plan.received(status, headers, body)

    def after_fork(self) -> None:
        """What no two processes may share is made anew; runs in the child."""
        self._tasks: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, asyncio.Task[RolesAnywhereError | None]
        ] = weakref.WeakKeyDictionary()
        self._plan.forget_process()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"


def _is_coroutine(function: object) -> bool:
    import inspect

    call = getattr(function, "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


async def _awaited(function: Callable[[], T | Awaitable[T]], here: bool | None = None) -> T:
    """Calls a function, in a thread unless it is a coroutine function, and awaits what it returns."""
    here = _is_coroutine(function) if here is None else here
    value: Any = function() if here else await asyncio.to_thread(function)
    result: T = await value if hasattr(value, "__await__") else value
    return result


_clients: weakref.WeakSet[AsyncClient] = weakref.WeakSet()


def _reset_clients() -> None:
    for client in list(_clients):
        client.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_clients)
