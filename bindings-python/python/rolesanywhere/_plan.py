"""What the synchronous and the asynchronous client share: everything but waiting.

A ``Plan`` knows the call, the credentials at hand and when to renew them. It reads no socket and
takes no lock: its owner does, and tells it what came of it.
"""

from __future__ import annotations

import os
import time

from . import _native
from .credentials import Credentials
from .errors import (
    InvalidInputError,
    InvalidResponseError,
    RolesAnywhereError,
    ServiceUnavailableError,
    ThrottledError,
)
from .identity import Identity, IdentityFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ._native import Session, UnsignedRequest
    from ._sources import AnySource
    from .cache import Cache
    from .identity import IdentityProvider, Password, Sign, Signer

#: How often a request is sent before a renewal counts as failed.
MAX_ATTEMPTS = 3
#: The longest pause between two attempts of one renewal, in seconds. Who asks for more is asked
#: again at a later renewal.
MAX_PAUSE_SECONDS = 5.0
#: A clock that is off by less is not what the service refused for, in seconds.
CLOCK_OFFSET_SECONDS = 60
#: How often a renewal is tried because the clock was set back, in seconds.
SET_BACK_RETRY_SECONDS = 60
#: Times and offsets beyond are no times: the year 36,812.
MAX_TIME = 1 << 40


class Plan:
    """The call, the credentials at hand, and when to renew them."""

    def __init__(
        self,
        trust_anchor_arn: str,
        profile_arn: str,
        role_arn: str,
        certificate: AnySource | None,
        private_key: AnySource | None,
        *,
        certificate_chain: AnySource | None,
        password: Password | None,
        signer: Signer | Sign | None,
        identity: Identity | IdentityProvider | None,
        region: str | None,
        endpoint: str | None,
        fips: bool,
        dual_stack: bool,
        duration_seconds: int | None,
        role_session_name: str | None,
        instance_properties: Mapping[str, str] | None,
        arn_placement: str,
        max_attempts: int,
        cache: Cache | None,
        clock: Callable[[], float],
    ) -> None:
        self.call = _native.CreateSession(
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
        )
        if max_attempts < 1:
            raise InvalidInputError(f"`max_attempts` is {max_attempts}: at least one is needed")
        self.max_attempts = max_attempts
        self.cache: Cache | None = None
        if cache is not None:
            from .cache import Guarded

            self.cache = Guarded(cache)
        self._clock = clock
        # What is added to that clock: an offset that a process beside this one learnt, out of the cache.
        self._correction = 0
        # What makes two calls the same session, for a cache that others share.
        self._parameters = (
            self.call.endpoint_url,
            self.call.region,
            trust_anchor_arn,
            profile_arn,
            role_arn,
            duration_seconds,
            role_session_name,
            sorted((instance_properties or {}).items()),
        )
        self.identity = _identity_provider(
            identity, certificate, private_key, certificate_chain, password, signer
        )
        # The credentials, when they came by this clock, and the answer that they came in (`None` when
        # it was a cache). One value, replaced whole: a fork may happen between any two lines.
        self._held: tuple[Credentials, int, Session | None] | None = None
        # Whether the service's own answer has shown what time it is.
        self._knows_time = False
        self.renewal = _native.Renewal(0)
        self.forget_process()

    @property
    def credentials(self) -> Credentials | None:
        """The credentials at hand, valid or not."""
        held = self._held
        return None if held is None else held[0]

    def clock(self) -> float:
        """The time, in Unix seconds, by the caller's clock and what the cache told of it."""
        return self._clock() + self._correction

    def usable(self) -> Credentials | None:
        """The credentials, while nothing has to be asked: the common case, which takes no lock."""
        in_use = self._in_use
        if in_use is None:
            return None
        credentials, since, until = in_use
        return credentials if since <= self.clock() < until else None

    def forget_process(self) -> None:
        """Makes what must differ between processes: called in the child after a fork too. The
        credentials stay: they are as good in the child as in the parent."""
        learnt = self.renewal.signing_time(0)
        self.renewal = _native.Renewal(int.from_bytes(os.urandom(8), "little"))
        self.error: RolesAnywhereError | None = None
        self._failed_at: float | None = None
        # The credentials that are used between two times without asking further. One value too: a
        # thread that reads it must not take one renewal's credentials for another's times.
        self._in_use: tuple[Credentials, float, float] | None = None
        if self._held is not None and self._held[2] is not None:
            self.renewal.renewed(self._held[1], self._held[2])  # which says again what time it is
            return
        self._correction += learnt
        if self._held is not None:
            credentials, received_at, _ = self._held
            self._held = (credentials, received_at + learnt, None)
            self.renewal.restored(received_at + learnt, credentials.expires_at)

    def next(self, now: float) -> str:
        """``"use"``, ``"use_and_renew"``, ``"renew"`` or ``"wait"`` (raise the last error again)."""
        step, until = self.renewal.next(int(now))
        self._in_use = None
        if step == "use" and until is not None and self._held is not None:
            credentials, received_at, _ = self._held
            since = float(received_at - CLOCK_OFFSET_SECONDS)
            if now < since and not self._has_just_failed(now):
                # The clock was set back: by it the credentials would seem valid for longer than they
                # are. The service's answer tells the time.
                return "use_and_renew"
            self._in_use = (credentials, since, float(until))
        return step

    def _has_just_failed(self, now: float) -> bool:
        failed_at = self._failed_at
        return failed_at is not None and 0 <= now - failed_at < SET_BACK_RETRY_SECONDS

    def renewal_is_due(self) -> bool:
        """Whether the next use renews."""
        return self.renewal.next(int(self.clock()))[0] in ("renew", "use_and_renew")

    def seconds_left(self) -> float:
        """How long the credentials are valid, by the service's clock; 0 without any."""
        held = self.credentials
        if held is None:
            return 0.0
        now = self.clock()
        return max(0.0, held.expires_at - (now - int(now)) - self.renewal.signing_time(int(now)))

    def prepare(self, identity: Identity, skew: int) -> UnsignedRequest:
        """The request to sign, dated by what is known of the service's clock."""
        now = self.renewal.signing_time(int(self.clock()))
        return self.call.prepare(identity.chain, now + skew)

    def received(
        self, status: int, headers: Iterable[tuple[str, str]], body: bytes | bytearray
    ) -> Session:
        """The session that an answer holds; raises the service's refusal."""
        try:
            listed = [(str(name), str(value)) for name, value in headers]
            return _native.Session.from_response(status, listed, body)
        except RolesAnywhereError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidResponseError(
                f"the transport's answer is not a status, headers and a body of bytes: {error}"
            ) from error

    def skew(self, error: RolesAnywhereError) -> int | None:
        """By how much to correct the clock, when it is what the service refused for."""
        if error.server_time is None or error.status not in (400, 401, 403):
            return None
        offset = error.server_time - self.renewal.signing_time(int(self.clock()))
        return offset if abs(offset) >= CLOCK_OFFSET_SECONDS else None

    def pause(self, error: RolesAnywhereError, attempt: int) -> float | None:
        """How long to pause before the next attempt of this renewal; ``None`` to give up."""
        if not error.retryable or attempt >= self.max_attempts:
            return None
        asked = error.retry_after or 0.0
        if asked > MAX_PAUSE_SECONDS:
            return None
        if isinstance(error, (ThrottledError, ServiceUnavailableError)):
            ceiling = 0.5 * 2.0**attempt
        else:
            ceiling = 0.1 * 2.0**attempt
        share = int.from_bytes(os.urandom(4), "little") / 2**32
        return max(asked, min(MAX_PAUSE_SECONDS, ceiling) * share)

    def renewed(self, session: Session) -> Credentials:
        """Takes a session into use."""
        now = int(self.clock())
        self.renewal.renewed(now, session)
        self._knows_time = True
        credentials = Credentials.from_session(session)
        self._use(credentials, now, session)
        if not self.renewal.is_valid(now):
            raise InvalidResponseError(
                f"the service's credentials had expired ({credentials.expiration}) when they came: "
                "check the clock of this machine"
            )
        return credentials

    def failed(self, error: RolesAnywhereError) -> None:
        """Takes note that a renewal failed."""
        now = self.clock()
        self.renewal.failed(int(now), error.failure())
        self._failed_at = now
        self._knows_time = self._knows_time or error.server_time is not None
        self.error = error
        self._in_use = None

    def last_error(self) -> RolesAnywhereError:
        """The last renewal's failure, as an exception of its own for each caller."""
        last = self.error
        if last is None:  # a plan that says "wait" has failed before
            return RolesAnywhereError("the last renewal failed")
        again = type(last)(last.message)
        again.__dict__.update(last.__dict__)
        again.__cause__ = last.__cause__
        return again

    def cache_key(self, identity: Identity) -> str:
        """What the session is stored under: nothing secret can be read from it."""
        import hashlib
        import json

        text = json.dumps([self._parameters, identity.chain.end_entity.fingerprint_sha256])
        return hashlib.sha256(text.encode()).hexdigest()

    def dump(self, session: Session) -> bytes:
        """A session as the cache stores it, JSON. It holds the secrets."""
        import json

        now = int(self.clock())
        issued_at = self.renewal.signing_time(now)
        entry: dict[str, object] = {
            "version": 1,
            "access_key_id": session.access_key_id,
            "secret_access_key": session.secret_access_key,
            "session_token": session.session_token,
            "expires_at": session.expiration,
            "issued_at": issued_at,
            "account_id": session.account_id,
            "assumed_role_arn": session.assumed_role_arn,
        }
        offset = issued_at - now + self._correction
        uptime = _uptime()
        if offset != 0 and uptime is not None:
            # So that the other processes of this machine, whose clock is as wrong, need not learn it.
            boot, seconds = uptime
            entry["clock"] = {"boot": boot, "uptime": seconds, "time": self._clock(), "offset": offset}
        return json.dumps(entry).encode()

    def restore(self, stored: bytes | None) -> bool:
        """Takes a cached session into use, if it is newer than what is at hand and not itself due
        for renewal. What cannot be read is as good as nothing stored."""
        if stored is None:
            return False
        import json

        try:
            entry = json.loads(stored)
            if entry["version"] != 1:
                return False
            issued_at, expires_at = _time(entry["issued_at"]), _time(entry["expires_at"])
            credentials = Credentials(
                _text(entry["access_key_id"]),
                _text(entry["secret_access_key"]),
                _text(entry["session_token"]),
                expires_at,
                _optional_text(entry["account_id"]),
                _optional_text(entry["assumed_role_arn"]),
            )
            correction = self._correction if self._knows_time else self._offset(entry.get("clock"))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return False
        if self.credentials is not None and self.credentials.expires_at >= expires_at:
            return False
        now = self.renewal.signing_time(int(self._clock() + correction))
        # What comes from the future shows that this clock is slow, and how slow is not known: the
        # service will tell.
        if issued_at - now >= CLOCK_OFFSET_SECONDS:
            return False
        probe = _native.Renewal(int.from_bytes(os.urandom(8), "little"))
        probe.restored(issued_at, expires_at)
        if probe.next(now)[0] != "use":
            return False
        self._correction = correction
        # The plan takes times by the clock that it corrects.
        received_at = issued_at - self.renewal.signing_time(0)
        self.renewal.restored(received_at, expires_at)
        self._use(credentials, received_at, None)
        return True

    def _offset(self, clock: Any) -> int:
        """How far the service's clock is ahead of this machine's, as a process of this machine found out;
        0 when the clock has been set since, or the entry is another machine's."""
        uptime = _uptime()
        if clock is None or uptime is None or clock["boot"] != uptime[0]:
            return 0
        by_uptime = uptime[1] - float(clock["uptime"])
        by_clock = self._clock() - float(clock["time"])
        moved = not abs(by_clock - by_uptime) < CLOCK_OFFSET_SECONDS
        return 0 if moved else _time(clock["offset"])

    def _use(self, credentials: Credentials, received_at: int, session: Session | None) -> None:
        self._held = (credentials, received_at, session)
        self.error = self._failed_at = None
        self.next(self.clock())


def _uptime() -> tuple[str, float] | None:
    """Which start of which machine this is, and the seconds since then: what tells a clock that was set
    from time that went by. ``None`` where the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip(), time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("text expected")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _time(value: object) -> int:
    if not isinstance(value, int) or not -MAX_TIME < value < MAX_TIME:
        raise TypeError("a time in seconds expected")
    return value


def _identity_provider(
    identity: Identity | IdentityProvider | None,
    certificate: AnySource | None,
    private_key: AnySource | None,
    certificate_chain: AnySource | None,
    password: Password | None,
    signer: Signer | Sign | None,
) -> IdentityProvider:
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
    if isinstance(identity, Identity):
        static = identity
        return lambda: static
    return identity
