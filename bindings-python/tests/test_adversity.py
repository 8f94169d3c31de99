"""Hosts, clocks and signers that misbehave."""

import asyncio
import logging
import os
import socket
import threading
import time

import pytest
import rolesanywhere
from rolesanywhere import AsyncClient, Client, Signer
from rolesanywhere.transport import HttpTransport
from support import ARNS, new_key, server


@pytest.fixture
def silent():
    """A server that takes connections and requests and never answers; yields its URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


# Transports.


def test_a_server_that_never_answers(silent, files):
    began = time.monotonic()
    client = Client(**ARNS, **files, endpoint=silent, timeout=0.2, max_attempts=2)
    waiting = [threading.Thread(target=lambda: pytest.raises(
        rolesanywhere.TransportFailedError, client.credentials)) for _ in range(4)]  # fmt: skip
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join(20)
        assert not thread.is_alive()
    assert 0.4 <= time.monotonic() - began < 5, "two attempts for all the threads together"


def test_a_server_that_never_answers_boto3(silent, files):
    import botocore.config
    import botocore.session

    session = botocore.session.Session()
    session.set_default_client_config(botocore.config.Config(connect_timeout=0.2, read_timeout=0.2))
    rolesanywhere.botocore_session(
        **ARNS, **files, endpoint=silent, max_attempts=1, session=session
    )
    began = time.monotonic()
    with pytest.raises(rolesanywhere.TransportFailedError, match="timeout|timed out"):
        session.get_credentials().get_frozen_credentials()
    assert time.monotonic() - began < 5


def test_valid_credentials_are_used_while_a_renewal_hangs(emulator, options, caplog):
    send, gate, hung = HttpTransport(), threading.Event(), threading.Event()
    gate.set()

    def transport(request):
        if not gate.is_set():
            hung.set()
            assert gate.wait(30)
            raise TimeoutError("the line was dead")
        return send(request)

    client = Client(**options, transport=transport, duration_seconds=3600, max_attempts=1)
    first = client.credentials()
    gate.clear()
    emulator.advance(2950)
    results = []
    renewing = threading.Thread(target=lambda: results.append(client.credentials()))
    renewing.start()
    assert hung.wait(10)
    assert [client.credentials() for _ in range(100)] == [first] * 100
    gate.set()
    renewing.join(10)
    assert results == [first]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (),
        (201,),
        ("201", [], b""),
        (201, None, b""),
        (201, [("a",)], b""),
        (201, [], "text"),
        (201, [], None),
        (-1, [], b""),
        (1 << 40, [], b""),
        (201, [], b""),
        (201, [], b"[" * 100_000),
        (201, [], b"x" * 300_000),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_transports_that_answer_nonsense(files, answer):
    client = Client(**ARNS, **files, transport=lambda request: answer, max_attempts=1)
    with pytest.raises(
        (rolesanywhere.InvalidResponseError, rolesanywhere.TransportFailedError)
    ):
        client.credentials()

    async def transport(request):
        return answer

    with pytest.raises(
        (rolesanywhere.InvalidResponseError, rolesanywhere.TransportFailedError)
    ):
        asyncio.run(
            AsyncClient(**ARNS, **files, transport=transport, max_attempts=1).credentials()
        )


def test_an_answer_that_is_cut_short(files):
    with server(lambda *_: (201, {"Content-Length": "5000"}, b"{")) as (url, requests):
        with pytest.raises(rolesanywhere.TransportFailedError):
            Client(**ARNS, **files, endpoint=url, timeout=0.3, max_attempts=1).credentials()
    assert requests


# Clocks.


class Clock:
    """A clock that can be set, beside the emulator's, which is right."""

    def __init__(self, emulator):
        self._emulator = emulator
        self.wrong = 0

    def __call__(self):
        return self._emulator.clock() + self.wrong


@pytest.mark.parametrize("jump", [-86400 * 400, -86400, -7200, -90, 90, 7200, 86400, 86400 * 400])
def test_a_clock_that_is_set_while_credentials_are_held(emulator, options, jump):
    clock = Clock(emulator)
    client = Client(**{**options, "clock": clock}, duration_seconds=3600)
    for wrong in (jump, 0, jump, 0):
        client.credentials()
        clock.wrong = wrong
        for _ in range(8):
            credentials = client.credentials()
            assert credentials.expires_at > emulator.clock(), "by the clock that counts"
            emulator.advance(600)
    # Eighty minutes and more of each: no storm of renewals either.
    assert emulator.calls() <= 40


def test_a_clock_that_was_set_back_does_not_hammer_a_service_that_is_down(emulator, options, caplog):
    clock, tries, send = Clock(emulator), [], HttpTransport()

    def transport(request):
        tries.append(request)
        if len(tries) > 1:
            raise ConnectionResetError("gone")
        return send(request)

    options["clock"] = clock
    client = Client(**options, transport=transport, duration_seconds=3600, max_attempts=1)
    first = client.credentials()
    clock.wrong = -86400
    assert client.credentials() is first
    emulator.advance(6)  # renewals are five seconds apart
    for _ in range(100):
        assert client.credentials() is first
    assert len(tries) == 2, "one try, and then a pause"
    emulator.advance(61)
    client.credentials()
    assert len(tries) == 3


def test_a_clock_that_is_no_clock(files):
    for reading in (float("nan"), float("inf"), 1e300, "noon", None):
        client = Client(**ARNS, **files, clock=lambda: reading, endpoint="http://127.0.0.1:1")
        with pytest.raises((ValueError, OverflowError, TypeError)):
            client.credentials()


# Signers.


def der_of_another_key(message):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return new_key("p256").sign(message, ec.ECDSA(hashes.SHA256()))


SIGNERS = {
    "none": lambda message: None,
    "text": lambda message: "signature",
    "number": lambda message: 7,
    "empty": lambda message: b"",
    "noise": lambda message: os.urandom(70),
    "p1363": lambda message: bytes(64),
    "long": lambda message: b"\x30" * 100_000,
    "another key": der_of_another_key,
    "the message": lambda message: message,
    "wrong arity": lambda: b"",
    "generator": lambda message: (yield),
}


@pytest.mark.parametrize("signer", SIGNERS.values(), ids=SIGNERS)
@pytest.mark.parametrize("late", [False, True], ids=["sync", "async"])
def test_signers_that_return_garbage(emulator, authority, signer, late):
    certificate, _ = authority.issue()

    async def sign_late(message):
        return signer(message)

    given = {"certificate": certificate, "signer": sign_late if late else signer}
    for call in (
        lambda: Client(**ARNS, **given, endpoint=emulator.endpoint).credentials(),
        lambda: asyncio.run(AsyncClient(**ARNS, **given, endpoint=emulator.endpoint).credentials()),
    ):
        with pytest.raises((rolesanywhere.SigningFailedError, rolesanywhere.KeyMismatchError)):
            call()
    assert emulator.calls() == 0, "nothing is sent that is not signed rightly"


def test_signers_that_raise(emulator, authority):
    certificate, _ = authority.issue()

    def raising(error):
        def sign(message):
            raise error

        return Client(**ARNS, certificate=certificate, signer=sign, endpoint=emulator.endpoint)

    with pytest.raises(rolesanywhere.SigningFailedError, match="OSError: token") as caught:
        raising(OSError("token")).credentials()
    assert isinstance(caught.value.__cause__, OSError)
    # Our own errors pass as they are; what ends a program is not taken for a failure.
    with pytest.raises(rolesanywhere.ThrottledError):
        raising(rolesanywhere.ThrottledError("kms is busy")).credentials()
    for ending in (KeyboardInterrupt, SystemExit):
        with pytest.raises(ending):
            raising(ending()).credentials()


def test_an_asynchronous_signer_that_is_cancelled(emulator, authority):
    certificate, _ = authority.issue()

    async def sign(message):
        raise asyncio.CancelledError  # a library's own time limit, say

    options = {**ARNS, "certificate": certificate, "signer": sign, "endpoint": emulator.endpoint}

    async def use():
        client = AsyncClient(**options)
        for failure in await asyncio.gather(
            *(client.credentials() for _ in range(5)), return_exceptions=True
        ):
            assert isinstance(failure, rolesanywhere.SigningFailedError), failure

    asyncio.run(use())
    with pytest.raises(rolesanywhere.SigningFailedError):
        Client(**options).credentials()


def test_a_loop_that_ends_while_its_signer_signs(emulator, authority):
    """The renewal is cancelled with its loop; the client is as good as before in the next."""
    key = new_key("p256")
    certificate, _ = authority.issue(key=key)
    started = threading.Event()
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    async def sign(message):
        if not started.is_set():
            started.set()
            await asyncio.sleep(60)
        return key.sign(message, ec.ECDSA(hashes.SHA256()))

    client = AsyncClient(**ARNS, certificate=certificate, signer=sign, endpoint=emulator.endpoint)

    async def give_up():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.credentials(), 0.2)

    began = time.monotonic()
    asyncio.run(give_up())
    assert started.is_set() and time.monotonic() - began < 5
    assert asyncio.run(client.credentials()).access_key_id
    assert emulator.sessions() == 1


def test_a_hung_signer_holds_no_one_up_who_has_credentials(emulator, options, authority):
    key = new_key("rsa")
    certificate, _ = authority.issue(key=key)
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    gate, entered = threading.Event(), threading.Event()
    gate.set()

    def sign(message):
        entered.set()
        assert gate.wait(30)
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    del options["private_key"]
    options["certificate"] = certificate
    client = Client(**options, signer=Signer(sign), duration_seconds=3600)
    first = client.credentials()
    gate.clear()
    entered.clear()
    emulator.advance(2950)
    renewing = threading.Thread(target=client.credentials)
    renewing.start()
    assert entered.wait(10)
    assert client.credentials() is first
    gate.set()
    renewing.join(10)
    assert client.current is not first


@pytest.mark.parametrize("returned", [None, 7, [], b"\x00" * 10, "wrong"], ids=repr)
def test_functions_that_return_no_password(authority, returned):
    from support import key_pem

    key = new_key("p256")
    certificate, _ = authority.issue(key=key)
    with pytest.raises(
        (
            rolesanywhere.InvalidInputError,
            rolesanywhere.PasswordRequiredError,
            rolesanywhere.WrongPasswordError,
        )
    ):
        rolesanywhere.Identity(certificate, key_pem(key, b"open sesame"), password=lambda: returned)


def test_identity_providers_that_return_garbage(emulator):
    for returned in (None, "client.pem", object()):
        with pytest.raises(rolesanywhere.InvalidInputError, match="return an `Identity`"):
            Client(**ARNS, identity=lambda: returned, endpoint=emulator.endpoint).credentials()
