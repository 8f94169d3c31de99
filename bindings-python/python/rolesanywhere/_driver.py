"""The part that the synchronous and the asynchronous client share: everything but waiting.

The core decides when to renew, how often to try, which answers to believe, and which callers wait. A
``Lifecycle`` keeps the core's last advice; a ``Drive`` carries out one renewal. Neither waits: a drive
yields each step that takes time to the client that runs it.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from . import _native
from .credentials import Credentials
from .errors import (
    InvalidInputError,
    InvalidResponseError,
    RolesAnywhereError,
    SigningFailedError,
    TransportFailedError,
)
from .identity import Identity, IdentityFiles, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from concurrent.futures import Future
    from typing import Any, Optional, Union

    from ._native import Action, CreateSession, Provider, Session
    from ._threads import Held
    from .cache import Cache
    from .identity import IdentityProvider

    Times = tuple[int, int, Optional[int]]
    Step = Union["Work", "Wait", "Pause"]
    Steps = Generator[Step, Any, None]


class Late(Exception):
    """A step took longer than it may."""


class Work:
    """A step: call a function, and await its result if that is awaitable.

    ``origin`` is the caller's function behind it, which may be a coroutine function.
    """

    __slots__ = ("function", "origin", "seconds")

    def __init__(self, function: Callable[[], Any], origin: object, seconds: float) -> None:
        self.function = function
        self.origin = origin
        self.seconds = seconds


class Wait:
    """A step: wait for the future of a thread."""

    __slots__ = ("future", "seconds")

    def __init__(self, future: Future[Any], seconds: float) -> None:
        self.future = future
        self.seconds = seconds


class Pause:
    """A step: wait."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Lifecycle:
    """The credentials at hand with the time for which nothing has to be asked, and the core's provider."""

    def __init__(
        self,
        call: CreateSession,
        identity: Identity | IdentityProvider,
        transport: Callable[..., Any],
        cache: Cache | None,
        policy: Mapping[str, float | None],
        clock: Callable[[], float],
    ) -> None:
        self.call = call
        self.identity = identity
        self.transport = transport
        self.cache = cache
        self._wall = clock
        # A clock that cannot be set. It would contradict a wall clock that the caller has replaced.
        self._monotonic: Callable[[], float] | None = None
        counts_sleep = False
        if clock is time.time:
            self._monotonic, counts_sleep = _monotonic_clock()
        verifies = getattr(transport, "verifies", True)
        self._settings: dict[str, Any] = {
            "policy": {name: value for name, value in policy.items() if value is not None},
            "locks": None if cache is None else True,
            "context": "" if verifies else "server not verified",
            "machine": _machine() if counts_sleep else None,
            "counts_sleep": counts_sleep,
        }
        self.provider = _native.Provider(self.call, _seed(), **self._settings)
        #: Held while the core is asked and its advice is kept, so that no older advice replaces a newer
        #: one. Reentrant: a signal handler may ask too.
        self.lock = threading.RLock()
        #: The exception of a caller's function that led to the last failure.
        self.cause: BaseException | None = None
        self.credentials: Credentials | None = None
        #: The identity that was loaded last.
        self.loaded: Identity | None = None
        # The credentials that are used without asking: since when, until when, and until when by the
        # monotonic clock. One value, replaced whole.
        self._kept: tuple[Credentials, float, float, float] | None = None

    def usable(self) -> Credentials | None:
        """The credentials, while nothing has to be asked: the common case, which takes no lock."""
        kept = self._kept
        if kept is None:
            return None
        credentials, since, until, monotonic_until = kept
        if not since <= self._wall() < until:
            return None
        if self._monotonic is not None and self._monotonic() >= monotonic_until:
            return None
        return credentials

    def now(self) -> tuple[int, int | None]:
        """What the clocks show, in milliseconds."""
        monotonic = self._monotonic
        return int(self._wall() * 1000), None if monotonic is None else int(monotonic() * 1000)

    def ask(self) -> tuple[str, Credentials | None, float]:
        """What a caller is to do, the credentials to use, and how long to wait. The lock must be held."""
        advice = self.provider.ask(*self.now())
        self._kept = None
        return advice.kind, self._keep(advice.window, advice.session), advice.seconds

    def use(self, window: Times | None, session: Session | None) -> None:
        """Keeps the credentials of a renewal."""
        with self.lock:
            self._keep(window, session)

    def _keep(self, window: Times | None, session: Session | None) -> Credentials | None:
        if window is None or session is None:
            return None
        made, held = Credentials.from_session(session), self.credentials
        if held is not None and made == held:
            made = held  # callers may compare by `is`
        since, until, monotonic = window
        self.credentials = made
        limit = float("inf") if monotonic is None else monotonic / 1000
        self._kept = (made, since / 1000, until / 1000, limit)
        return made

    def one_shot(self) -> Provider:
        """A provider for one call past the store and the credentials at hand. The caller drives it."""
        provider = self.provider.one_shot(_seed())
        provider.ask(*self.now())
        return provider

    def error(self) -> RolesAnywhereError:
        """Why there are no credentials, an exception of its own for each caller."""
        return error_of(self.provider, self.cause)

    def renewal_is_due(self) -> bool:
        """Whether the next use renews."""
        return self.provider.is_due(*self.now())

    def seconds_left(self) -> float:
        """How long the credentials are valid, by the service's clock; 0 without any."""
        return self.provider.valid_for(*self.now())

    def after_fork(self) -> None:
        """In the child of a fork: makes anew all that two processes must not share. The credentials
        stay valid in the child."""
        self.lock = threading.RLock()
        self._kept = None
        if not self.provider.forked(*self.now(), _seed()):
            self.provider = _native.Provider(self.call, _seed(), **self._settings)


class Drive:
    """One renewal, carried out as the core's provider says."""

    def __init__(self, life: Lifecycle, provider: Provider, wake: Callable[[], None]) -> None:
        self._life = life
        self._wake = wake
        self._provider = provider
        self._identity: Identity | None = None
        self._held: Held | None = None
        self._process = os.getpid()
        #: The exception of a caller's function that led to the last failure.
        self.cause: BaseException | None = None

    def steps(self) -> Steps:
        """Yields each step that takes time. The client sends its result, or throws its error:
        :class:`Late` when it took too long."""
        life, provider, is_over = self._life, self._provider, False
        try:
            while True:
                action = provider.poll(*life.now())
                if action is None:
                    is_over = True
                    return
                yield from getattr(self, f"_{action.kind}")(action)
        finally:
            if self._held is not None:
                self._held.leave()
            # A drive of the parent that is collected in a child must not end the child's renewal.
            if not is_over and self._process == os.getpid():
                self._tell(provider.cancelled)
                while (action := provider.poll(*life.now())) is not None:
                    if action.kind == "unlock":
                        self._tell(provider.unlocked, action.id)
            self._wake()

    def _tell(self, event: Callable[..., Any], *arguments: object) -> None:
        event(*self._life.now(), *arguments)

    def _load_identity(self, action: Action) -> Steps:
        provider, source = self._provider, self._life.identity
        if isinstance(source, Identity):
            self._loaded(source)
            self._tell(provider.identity_loaded, action.id, source.chain)
            return
        try:
            identity = checked((yield Work(source, source, action.seconds)))
        except Late:
            self._tell(provider.timed_out, action.id)
        except Exception as error:
            failure = self._failure(error, lambda: InvalidInputError(f"the identity provider failed: {error}"))
            last = modified = None
            if isinstance(source, IdentityFiles):
                modified = source.modified()
                if source.last is not None:
                    last = self._loaded(source.last).chain
            self._tell(provider.identity_failed, action.id, failure, modified, last)
        else:
            self._loaded(identity)
            self._tell(provider.identity_loaded, action.id, identity.chain)

    def _loaded(self, identity: Identity) -> Identity:
        self._identity = self._life.loaded = identity
        return identity

    def _sign(self, action: Action) -> Steps:
        provider, request = self._provider, action.request
        # After a long sleep of the machine a second driver may have begun; each carries out any action.
        identity = self._identity or self._life.loaded
        assert identity is not None
        try:
            if identity.signer is None:
                assert identity.key is not None
                # A millisecond or less: a thread would cost as much.
                signature = request.signature(identity.key)
            else:
                signer = identity.signer
                value = yield Work(lambda: signer.call(request), signer, action.seconds)
                signature = signer.signature(request, value)
        except Late:
            self._tell(provider.timed_out, action.id)
        except Exception as error:
            failure = self._failure(error, lambda: _signing_failed(error))
            self._tell(provider.sign_failed, action.id, failure)
        else:
            self._tell(provider.signed, action.id, signature)

    def _send(self, action: Action) -> Steps:
        provider, request, seconds = self._provider, action.request, action.seconds
        transport = self._life.transport
        within = getattr(transport, "within", None)
        try:
            if within is None:
                answer = yield Work(lambda: transport(request), transport, seconds)
            else:
                answer = yield Work(lambda: within(request, seconds), within, seconds)
        except Late:
            self._tell(provider.timed_out, action.id)
            return
        except Exception as error:
            failure = self._failure(error, lambda: _no_answer(self._life.call.endpoint_url, error))
            self._tell(provider.not_answered, action.id, _loss(error), failure)
            return
        try:
            status, headers, body = answer
            listed = [(str(name), str(value)) for name, value in headers]
            self.cause = None
            self._tell(provider.answered, action.id, status, listed, body)
        except (TypeError, ValueError, OverflowError) as error:
            what = f"the transport's answer is not a status, headers and a body of bytes: {error}"
            failure = self._failure(error, lambda: InvalidResponseError(what))
            self._tell(provider.not_answered, action.id, "unsendable", failure)

    # The store.

    def _load(self, action: Action) -> Steps:
        provider, cache, key = self._provider, self._life.cache, _given(action.key)
        assert cache is not None
        try:
            entry = yield Work(lambda: cache.load(key), cache.load, action.seconds)
        except Exception as error:
            self._store_failed(action, error)
            return
        try:
            self._tell(provider.loaded, action.id, entry)
        except TypeError:  # no bytes: something else is stored under that key
            self._tell(provider.unreadable, action.id)

    def _store(self, action: Action) -> Steps:
        provider, cache, key = self._provider, self._life.cache, _given(action.key)
        assert cache is not None
        entry, ttl = _given(action.entry), int(_given(action.ttl))
        try:
            yield Work(lambda: cache.store(key, entry, ttl), cache.store, action.seconds)
        except Exception as error:
            self._store_failed(action, error)
        else:
            self._tell(provider.stored, action.id)

    def _lock(self, action: Action) -> Steps:
        from ._threads import Held

        provider, cache = self._provider, self._life.cache
        assert cache is not None
        held = self._held
        if held is None:
            self._held = held = Held(cache, _given(action.key))
        try:
            is_ours = yield Wait(held.entered, action.seconds)
        except Late:
            # A lock that waits by itself goes on waiting, and is asked for again.
            self._tell(provider.lock_held, action.id)
        except Exception as error:
            self._held = None
            self._store_failed(action, error)
        else:
            self._held = held if is_ours else None
            self._tell(provider.locked if is_ours else provider.lock_held, action.id)

    def _unlock(self, action: Action) -> Steps:
        held, self._held = self._held, None
        try:
            if held is not None:
                held.leave()
                yield Wait(held.left, action.seconds)
        except Exception as error:
            self._store_failed(action, error)
        else:
            self._tell(self._provider.unlocked, action.id)

    def _store_failed(self, action: Action, error: Exception) -> None:
        if isinstance(error, Late):
            self._tell(self._provider.timed_out, action.id)
            return
        # The class alone: a store's message may repeat the value.
        failure = _native.Failure("transport_failed", type(error).__name__)
        self._tell(self._provider.store_failed, action.id, failure)

    # The rest.

    def _pause(self, action: Action) -> Steps:
        yield Pause(action.seconds)
        self._tell(self._provider.tick)

    def _use(self, action: Action) -> Steps:
        if self._provider is self._life.provider:
            self._life.use(action.window, action.session)
        yield from self._fail(action)

    def _fail(self, _: Action) -> Steps:
        if self._provider is self._life.provider:
            self._life.cause = self.cause
            self._wake()
        yield from ()

    def _note(self, action: Action) -> Steps:
        import logging

        level = logging.WARNING if action.is_warning else logging.DEBUG
        kind = _given(action.note).replace("_", " ")
        logging.getLogger("rolesanywhere").log(level, "%s: %s", kind, action.message)
        yield from ()

    def _failure(self, error: Exception, other: Callable[[], RolesAnywhereError]) -> Any:
        """The core's form of an exception: our own errors as they are, any other as ``other``."""
        if isinstance(error, RolesAnywhereError):
            self.cause = error.__cause__
            return error.failure()
        self.cause = error
        return other().failure()


def error_of(provider: Provider, cause: BaseException | None) -> RolesAnywhereError:
    """Why a renewal failed, a new exception each time."""
    error = provider.error() or RolesAnywhereError("the last renewal failed")
    error.__cause__ = cause
    return error


def _signing_failed(error: Exception) -> SigningFailedError:
    return SigningFailedError(f"the signer raised {type(error).__name__}: {error}")


def _no_answer(endpoint: str, error: Exception) -> TransportFailedError:
    reason = str(error) or type(error).__name__
    return TransportFailedError(f"no answer from `{endpoint}`: {reason}")


def _loss(error: BaseException) -> str:
    """How an answer was lost, by the transport's exception and its causes."""
    if isinstance(error, RolesAnywhereError) and not isinstance(error, TransportFailedError):
        return "unsendable"
    # A transport that uses TLS or sockets has loaded these.
    ssl, socket = sys.modules.get("ssl"), sys.modules.get("socket")
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if ssl is not None and isinstance(cause, ssl.SSLCertVerificationError):
            return "untrusted"
        if isinstance(cause, TimeoutError) or (socket is not None and isinstance(cause, socket.timeout)):
            return "timed_out"
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return "unreachable"


def _given(value: Any) -> Any:
    """A field that actions of this kind have."""
    assert value is not None
    return value


def _seed() -> int:
    return int.from_bytes(os.urandom(8), "little")


def _monotonic_clock() -> tuple[Callable[[], float], bool]:
    """A clock that cannot be set, and whether it runs while the machine sleeps."""
    import functools

    try:
        clock = functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME)
        clock()
    except (AttributeError, OSError):
        return time.monotonic, False
    return clock, True


def _machine() -> str | None:
    """The name of this start of this machine, from which that clock counts."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return None
