"""The asynchronous client: the same as :class:`Client`, for asyncio."""

from __future__ import annotations

import asyncio
import contextlib

from ._base import Base
from ._driver import Drive, Late, Pause, Work, error_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any, Protocol

    from ._driver import Step, Wait
    from ._native import HttpRequest, Provider, Session
    from ._threads import Worker
    from .client import Answer
    from .credentials import Credentials

    class AsyncTransport(Protocol):
        """As :class:`Transport`, awaited."""

        def __call__(self, request: HttpRequest, /) -> Awaitable[Answer]: ...


class AsyncClient(Base):
    """Temporary credentials for one role, for asyncio.

    One renewal is in flight at a time; tasks that find the credentials still valid do not wait for it.
    Files, caches and functions that are not coroutine functions run in threads. A client may be shared
    by event loops.

    The arguments are those of :class:`Client`, save that ``transport``, ``signer`` and ``identity``
    may be coroutine functions; without a ``transport`` the standard library's HTTP runs in a thread.

    Raises:
        RolesAnywhereError: as :class:`Client`.
    """

    def _begin(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Future[None]] = set()

    def _wake(self) -> None:
        with self._life.lock:
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                future.get_loop().call_soon_threadsafe(_resolve, future)

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
                    # Not cancelled with this caller: others may wait for the renewal.
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

        worker, drive = Worker(), Drive(self._life, provider, self._wake)
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


async def _perform(step: Step, worker: Worker) -> Any:
    """Carries out a step."""
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
        # Not by this task: by a library's own time limit, for example.
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
    # Its result is of no use, and an exception must not be reported as never retrieved.
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
