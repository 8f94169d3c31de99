"""Threads for work that may hang: functions of the caller's, files, HTTP, stores and their locks.

A call in Python cannot be interrupted. A client stops waiting for it when its time is over; its thread is
a daemon, so it does not keep the program from ending.
"""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional

    from .cache import Cache

    Job = tuple[Future[Any], contextvars.Context, Callable[[], Any]]
    Jobs = SimpleQueue[Optional[Job]]


class Worker:
    """A thread that carries out jobs, one after another. It starts with the first job."""

    def __init__(self) -> None:
        self._jobs: Jobs | None = None

    def submit(self, function: Callable[[], Any]) -> Future[Any]:
        """Has a function called, in a copy of the caller's context."""
        job: Job = (new_future(), contextvars.copy_context(), function)
        if self._jobs is None:
            jobs: Jobs = SimpleQueue()
            try:
                _start(_serve, jobs)
            except RuntimeError:
                # The interpreter is ending, or allows no thread: the job runs here, without a time limit.
                _carry_out(job)
                return job[0]
            self._jobs = jobs
        self._jobs.put(job)
        return job[0]

    def dismiss(self) -> None:
        """Ends the thread after its present job; the next job gets a new thread."""
        jobs, self._jobs = self._jobs, None
        if jobs is not None:
            jobs.put(None)


class Held:
    """A lock of a cache, entered and left by the same thread, as many locks demand."""

    def __init__(self, cache: Cache, key: str) -> None:
        self.key = key
        #: Whether the lock is ours; ``False`` when another has it. Raises the error of entering.
        self.entered: Future[bool] = new_future()
        #: Done when the lock was left. Raises the error of leaving.
        self.left: Future[None] = new_future()
        self._cache = cache
        self._is_done = threading.Event()
        try:
            _start(self._hold)
        except RuntimeError as error:
            self.entered.set_exception(error)

    def leave(self) -> None:
        """Has the lock left, at once or as soon as it is entered."""
        self._is_done.set()

    def _hold(self) -> None:
        try:
            with self._cache.lock(self.key) as entered:
                is_ours = entered is not False
                self.entered.set_result(is_ours)
                if is_ours:
                    self._is_done.wait()
        except BaseException as error:
            (self.left if self.entered.done() else self.entered).set_exception(error)
        else:
            self.left.set_result(None)


def new_future() -> Future[Any]:
    """A future that cannot be cancelled."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def _start(target: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, name="rolesanywhere", daemon=True).start()


def _serve(jobs: Jobs) -> None:
    while True:
        job = jobs.get()
        if job is None:
            return
        _carry_out(job)
        del job  # nothing is kept while the thread waits for the next


def _carry_out(job: Job) -> None:
    future, context, function = job
    try:
        result = context.run(function)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
