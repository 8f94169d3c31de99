"""The synchronous client: credentials from a certificate, kept fresh, without any SDK."""

from __future__ import annotations

import threading
import time

from ._base import Base
from ._driver import Drive, Late, Pause, Work, error_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol, Union

    from ._driver import Step
    from ._native import HttpRequest, Provider, Session
    from ._threads import Worker
    from .credentials import Credentials

    #: Status, headers and body of an HTTP answer, content encoding undone.
    Answer = tuple[int, Iterable[tuple[str, str]], Union[bytes, bytearray]]

    class Transport(Protocol):
        """Sends a request as it stands and returns the answer, whatever its status. It raises when
        there is no answer. It follows no redirect."""

        def __call__(self, request: HttpRequest, /) -> Answer: ...


class Client(Base):
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
        timeout: the longest time for one attempt, from connecting to the last byte of the answer, in
            seconds; 10 when absent.
        max_attempts: how often to send a request before a renewal counts as failed; 3 when absent.
        cache: where to share sessions with other processes, a ``DiskCache`` for instance.
        clock: what tells the time, in Unix seconds.

    Raises:
        InvalidInputError: an argument is malformed, or a file cannot be read.
        InvalidCertificateError, InvalidKeyError, KeyMismatchError, PasswordRequiredError,
            WrongPasswordError, UnsupportedError: the identity cannot be used.
    """

    def _begin(self) -> None:
        self._changed = threading.Condition(self._life.lock)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def credentials(self) -> Credentials:
        """Credentials that are valid now, from the last renewal or a new one.

        When a renewal fails, the credentials at hand are returned as long as they are valid. When
        there are none, the failure is raised, and raised again until the next try is due (five
        seconds to five minutes later, longer after each failure).

        Raises:
            RolesAnywhereError: there are no credentials: a subclass says why.
        """
        usable = self._life.usable()
        return self._obtain() if usable is None else usable

    def create_session(self) -> Session:
        """Calls CreateSession once, past the cache and the credentials at hand, and returns all that
        the service says. No credentials of the client change.

        Raises:
            RolesAnywhereError: a subclass says why.
        """
        provider = self._life.one_shot()
        drive = self._drive(provider)
        session = provider.session()
        if session is None:
            raise error_of(provider, drive.cause)
        return session

    def _obtain(self) -> Credentials:
        life = self._life
        while True:
            with self._changed:
                # The clocks are read under the lock: a reading from before the wait would be old.
                advice, credentials, seconds = life.ask()
                if advice == "wait":
                    self._changed.wait(seconds)
                    continue
            if advice == "use" and credentials is not None:
                return credentials
            if advice == "fail":
                raise life.error()
            self._drive(life.provider)

    def _drive(self, provider: Provider) -> Drive:
        from ._threads import Worker

        worker, drive = Worker(), Drive(self._life, provider, self._wake)
        steps = drive.steps()
        try:
            step = next(steps)
            while True:
                try:
                    result = _perform(step, worker)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration:
            return drive
        finally:
            worker.dismiss()


def _perform(step: Step, worker: Worker) -> Any:
    """Carries out a step."""
    import concurrent.futures

    if isinstance(step, Pause):
        time.sleep(step.seconds)
        return None
    if isinstance(step, Work):
        function = step.function
        future = worker.submit(lambda: _run(function()))
    else:
        future = step.future
    try:
        return future.result(step.seconds)
    except concurrent.futures.TimeoutError:
        if future.done():
            return future.result()  # the step's own time limit
        worker.dismiss()
        raise Late from None


def _run(value: Any) -> Any:
    """The value, awaited if it is awaitable: a coroutine function serves a synchronous client too."""
    if not hasattr(value, "__await__"):
        return value
    import asyncio

    async def await_value() -> Any:
        return await value

    try:
        return asyncio.run(await_value())
    except asyncio.CancelledError as error:
        raise RuntimeError("it was cancelled") from error
