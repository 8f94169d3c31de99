"""The asynchronous client: the same as :class:`Client`, for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import weakref

from ._driver import Drive, Late, Lifecycle, Pause, Work, error_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any, Protocol

    from ._driver import Step, Wait
    from ._native import HttpRequest, Provider, Session
    from ._threads import Worker
    from .cache import Cache
    from .client import Answer, Transport
    from .credentials import Credentials
    from .identity import Identity, IdentityProvider, Password, Sign, Signer, Source

    class AsyncTransport(Protocol):
        """As :class:`Transport`, awaited."""

        def __call__(self, request: HttpRequest, /) -> Awaitable[Answer]: ...


class AsyncClient:
    """Temporary credentials for one role, for asyncio.

    One renewal is in flight at a time; tasks that find the credentials still valid do not wait for it.
    Files, caches and functions that are not coroutine functions run in threads. A client may be shared
    by event loops.

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
        timeout: float | None = None,
        max_attempts: int | None = None,
        cache: Cache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._life = Lifecycle(
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
            transport=transport,
            ca_bundle=ca_bundle,
            timeout=timeout,
            max_attempts=max_attempts,
            cache=cache,
            clock=clock,
        )
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        self._life.wake = self._wake

    def _wake(self) -> None:
        with self._life.lock:
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                future.get_loop().call_soon_threadsafe(_resolve, future)

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

    async def credentials(self) -> Credentials:
        """Credentials that are valid now; see :meth:`Client.credentials`.

        When renewal is due and the credentials are still good, they are returned at once and renewed
        by a task of the running loop.

        Raises:
            RolesAnywhereError: there are no credentials: a subclass says why.
        """
        life = self._life
        while True:
            usable = life.usable()
            if usable is not None:
                return usable
            loop = asyncio.get_running_loop()
            with life.lock:
                advice, credentials, seconds = life.ask()
                change: asyncio.Future[None] = loop.create_future()
                if advice == "wait":
                    self._waiting.add(change)
            if advice == "wait":
                try:
                    await asyncio.wait((change,), timeout=seconds)
                finally:
                    self._waiting.discard(change)
                continue
            if advice == "fail":
                raise life.error()
            if advice != "use":
                task = loop.create_task(self._renew())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                if credentials is None:
                    # Whoever is cancelled must not take the renewal from the others.
                    await asyncio.wait((task,))
                    if not task.cancelled():
                        task.result()
            if credentials is not None:
                return credentials

    async def create_session(self) -> Session:
        """Calls CreateSession once, past the cache and the credentials at hand.

        Raises:
            RolesAnywhereError: a subclass says why.
        """
        provider = self._life.one_shot()
        drive = await self._drive(provider)
        session = provider.session()
        if session is None:
            raise error_of(provider, drive.cause)
        return session

    async def _renew(self) -> None:
        await self._drive(self._life.provider)

    async def _drive(self, provider: Provider) -> Drive:
        from ._threads import Worker

        worker, drive = Worker(), Drive(self._life, provider)
        steps = drive.steps()
        try:
            step = next(steps)
            while True:
                try:
                    result = await _perform(step, worker)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration:
            return drive
        finally:
            worker.dismiss()

    def after_fork(self) -> None:
        """What no two processes may share is made anew; runs in the child."""
        self._life.after_fork()
        self._begin()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"


async def _perform(step: Step, worker: Worker) -> Any:
    """Does what a step says, and waits for it."""
    if isinstance(step, Pause):
        await asyncio.sleep(step.seconds)
        return None
    task = asyncio.ensure_future(_result(step, worker))
    try:
        done, _ = await asyncio.wait((task,), timeout=step.seconds)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if not done:
        _abandon(task)
        worker.dismiss()
        raise Late
    if task.cancelled():
        # By itself: a library's own time limit, say.
        raise RuntimeError("it was cancelled")
    return task.result()


async def _result(step: Work | Wait, worker: Worker) -> Any:
    if not isinstance(step, Work):
        return await asyncio.wrap_future(step.future)
    if _is_coroutine(step.origin):
        value = step.function()
    else:
        value = await asyncio.wrap_future(worker.submit(step.function))
    return await value if hasattr(value, "__await__") else value


def _abandon(task: asyncio.Task[Any]) -> None:
    task.cancel()
    # What becomes of it nobody wants to know.
    task.add_done_callback(lambda task: task.cancelled() or task.exception())


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _is_coroutine(function: object) -> bool:
    import inspect

    from .identity import Signer

    if isinstance(function, Signer):
        return function.is_coroutine
    call = getattr(function, "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


_clients: weakref.WeakSet[AsyncClient] = weakref.WeakSet()


def _reset_clients() -> None:
    for client in list(_clients):
        client.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_clients)
