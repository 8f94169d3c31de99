"""What hangs, drips, lies or is down around both clients."""

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time

import botocore.session
import pytest
import rolesanywhere
from rolesanywhere import AsyncClient, Client, DiskCache, Identity, _native
from rolesanywhere.transport import HttpTransport
from support import ARNS, server


def sync(client):
    return client.credentials()


def in_a_loop(client):
    return asyncio.run(client.credentials())


both = pytest.mark.parametrize("make, get", [(Client, sync), (AsyncClient, in_a_loop)], ids=["sync", "async"])


def impatient(client, **seconds):
    """The client with other limits than the core's, so that no test waits for half a minute."""
    life = client._life
    life._settings["policy"].update(seconds)
    life.provider = _native.Provider(life.call, 7, **life._settings)
    return client


# The host's own work.


@pytest.fixture
def hang():
    """A function that hangs until the test is over."""
    over = threading.Event()
    yield lambda *_: over.wait(60)
    over.set()


async def hang_in_a_loop(*_):
    await asyncio.sleep(60)


@both
def test_an_identity_that_hangs(emulator, files, hang, make, get):
    for provider in (hang, hang_in_a_loop):
        client = make(**ARNS, identity=provider, endpoint=emulator.endpoint)
        with pytest.raises(rolesanywhere.InvalidInputError, match="not loaded within 0.3 s"):
            get(impatient(client, identity_timeout=0.3))
    assert emulator.calls() == 0


@both
def test_a_signer_that_hangs(emulator, files, hang, make, get):
    for signer in (hang, hang_in_a_loop):
        client = make(
            **ARNS, certificate=files["certificate"], signer=signer, endpoint=emulator.endpoint
        )
        with pytest.raises(rolesanywhere.SigningFailedError, match="did not sign within 0.3 s"):
            get(impatient(client, signing_timeout=0.3))
    assert emulator.calls() == 0


@both
def test_valid_credentials_outlive_an_identity_that_hangs(emulator, options, files, hang, make, get):
    given = [lambda: Identity(**{name: options.pop(name) for name in files}), hang]
    client = make(
        **{name: value for name, value in options.items() if name not in files},
        identity=lambda: given.pop(0)(),
        duration_seconds=3600,
    )
    first = get(impatient(client, identity_timeout=0.3))
    emulator.advance(3400)
    assert get(client) is first
    assert not given


def test_others_hear_of_a_function_that_hangs(emulator, hang):
    """Whoever called it is left to it; nobody else is."""
    client = impatient(
        Client(**ARNS, identity=hang, endpoint=emulator.endpoint), identity_timeout=0.3
    )
    failures = []

    def work():
        with pytest.raises(rolesanywhere.InvalidInputError) as caught:
            client.credentials()
        failures.append(caught.value)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert len({id(failure) for failure in failures}) == 10, "an exception for each"


# The way to the service.


@pytest.fixture(params=["headers", "body"])
def dripping(request):
    """A server that sends a byte now and then and never comes to an end; yields its URL and whether the
    other side has closed."""
    listening = socket.create_server(("127.0.0.1", 0))
    closed, over = threading.Event(), threading.Event()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    begin = head if request.param == "headers" else head + b"content-length: 5000\r\n\r\n"

    def drip(connection):
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(begin)
            while not over.wait(0.05):
                connection.sendall(b" " if request.param == "body" else b"a")
        closed.set()

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", closed
    over.set()
    listening.close()


@both
def test_an_answer_that_drips(dripping, files, make, get):
    url, closed = dripping
    client = make(**ARNS, **files, endpoint=url, timeout=0.5, max_attempts=1)
    with pytest.raises(rolesanywhere.TransportFailedError, match="timed out|within 0.5 s"):
        get(client)
    assert closed.wait(20), "the connection is not kept"


def test_an_answer_that_drips_to_botocore(dripping, files):
    session = rolesanywhere.botocore_session(
        **ARNS, **files, endpoint=dripping[0], timeout=0.5, max_attempts=1
    )
    with pytest.raises(rolesanywhere.TransportFailedError, match="timed out|within 0.5 s"):
        session.get_credentials().get_frozen_credentials()


async def test_an_answer_that_drips_to_aiobotocore(dripping, files):
    from rolesanywhere.aioboto import get_session

    url, closed = dripping
    session = get_session(**ARNS, **files, endpoint=url, timeout=0.5, max_attempts=1)
    credentials = await session.get_credentials()
    with pytest.raises(rolesanywhere.TransportFailedError, match="within 0.5 s"):
        await credentials.get_frozen_credentials()
    assert await asyncio.to_thread(closed.wait, 20)


@both
def test_a_proxy_that_drips(dripping, files, make, get):
    host = dripping[0].replace("http://", "")
    transport = HttpTransport(proxy=f"http://{host}")
    client = make(**ARNS, **files, transport=transport, timeout=0.5, max_attempts=1)
    with pytest.raises(rolesanywhere.TransportFailedError):
        get(client)


@both
def test_a_transport_that_hangs(files, hang, make, get):
    for transport in (hang, hang_in_a_loop):
        client = make(**ARNS, **files, transport=transport, timeout=0.3, max_attempts=1)
        with pytest.raises(rolesanywhere.TransportFailedError, match="within 0.3 s"):
            get(client)


@both
def test_plain_http_to_another_machine(files, make, get):
    sent = []
    with pytest.raises(rolesanywhere.InvalidInputError, match="in the clear"):
        get(make(**ARNS, **files, endpoint="http://10.0.0.1", transport=sent.append))
    assert not sent
    with pytest.raises(rolesanywhere.InvalidInputError, match="in the clear"):
        rolesanywhere.botocore_session(**ARNS, **files, endpoint="http://10.0.0.1")


def test_many_tasks_while_nothing_answers(files):
    requests = []

    async def transport(request):
        requests.append(request)
        await asyncio.sleep(60)

    async def use():
        client = AsyncClient(**ARNS, **files, transport=transport, timeout=0.3, max_attempts=2)
        return await asyncio.gather(
            *(client.credentials() for _ in range(100)), return_exceptions=True
        )

    failures = asyncio.run(use())
    assert {type(failure) for failure in failures} == {rolesanywhere.TransportFailedError}
    assert len({id(failure) for failure in failures}) == 100
    assert len(requests) == 2


def test_valid_credentials_while_nothing_answers(emulator, options):
    """In the last minutes callers wait for the renewal, and never get its failure."""
    send, over = HttpTransport(), threading.Event()
    is_down, tries = [], []

    def transport(request):
        if is_down:
            tries.append(request)
            over.wait(60)
        return send(request)

    client = Client(
        **options, transport=transport, timeout=0.5, max_attempts=1, duration_seconds=3600
    )
    first = client.credentials()
    is_down.append(None)
    emulator.advance(3400)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(client.credentials())) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    over.set()
    assert results == [first] * 10
    assert len(tries) == 1


def test_event_loops_share_a_client(emulator, options):
    """Of many loops one renews; the others are woken."""
    send, gate, requests = HttpTransport(), threading.Event(), []

    def transport(request):
        requests.append(request)
        assert gate.wait(20)
        return send(request)

    client = AsyncClient(**options, transport=transport)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(asyncio.run(client.credentials())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    while not requests:
        time.sleep(0.01)
    gate.set()
    for thread in threads:
        thread.join(20)
    assert len(results) == 8 and len(set(results)) == 1
    assert emulator.sessions() == len(requests) == 1


# What the service, or something that plays it, says.


def rewriting(change, headers=None):
    """A transport that changes the credentials of every answer."""
    send = HttpTransport()

    def transport(request):
        status, sent, body = send(request)
        answer = json.loads(body)
        change(answer["credentialSet"][0])
        kept = [pair for pair in sent if pair[0].lower() not in (headers or {})]
        return status, [*kept, *(headers or {}).items()], json.dumps(answer).encode()

    return transport


def ended(one):
    one["credentials"]["expiration"] = "2022-11-27T18:00:00Z"


@both
def test_an_answer_that_has_ended(emulator, options, caplog, make, get):
    client = make(**options, transport=rewriting(ended))
    for _ in range(20):
        with pytest.raises(rolesanywhere.InvalidResponseError, match="had ended"):
            get(client)
    assert emulator.calls() == 1, "it is not asked for again at once"


@both
def test_an_answer_that_has_ended_replaces_nothing(emulator, options, caplog, make, get):
    changes = []
    client = make(
        **options,
        transport=rewriting(lambda one: [change(one) for change in changes]),
        duration_seconds=3600,
    )
    first = get(client)
    changes.append(ended)
    emulator.advance(3400)
    for _ in range(20):
        assert get(client) is first
    assert "had ended" in caplog.text
    assert emulator.calls() == 2


@both
def test_an_answer_for_another_role(emulator, options, make, get):
    def other(one):
        one["roleArn"] = one["roleArn"].replace("role/app", "role/admin")

    with pytest.raises(rolesanywhere.InvalidResponseError, match="role/admin"):
        get(make(**options, transport=rewriting(other)))


@both
def test_dates_that_cannot_be(emulator, options, make, get):
    def for_ever(one):
        one["credentials"]["expiration"] = "9999-12-31T23:59:59Z"

    date = {"date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    client = make(**options, transport=rewriting(for_ever, date))
    first = get(client)
    assert 43_000 < client.seconds_left() <= 43_200, "what the service grants at most"
    emulator.advance(86_400)
    assert get(client) != first


# Clocks: the monotonic clock shows what the other one does.


@pytest.mark.parametrize("wrong", [-10_800, 10_800])
@both
def test_a_clock_that_is_set_is_seen(emulator, options, monkeypatch, wrong, make, get):
    right, by = time.time, [0]
    monkeypatch.setattr(time, "time", lambda: right() + by[0])
    client = make(**{**options, "clock": time.time}, duration_seconds=3600)
    first = get(client)
    by[0] = wrong
    assert get(client) is first, "an hour's session is not over"
    assert abs(client.seconds_left() - 3600) < 60
    assert emulator.calls() == 1


# Stores.


class Store:
    """A store with a lock of this process; `broken` operations hang."""

    def __init__(self, hang, *broken):
        self.hang, self.broken, self.values, self.asked = hang, broken, {}, []
        self.mutex = threading.Lock()

    def _ask(self, what):
        self.asked.append(what)
        if what in self.broken:
            self.hang()

    def load(self, key):
        self._ask("load")
        return self.values.get(key)

    def store(self, key, value, ttl_seconds):
        self._ask("store")
        self.values[key] = value

    @contextlib.contextmanager
    def lock(self, key):
        self._ask("lock")
        if not self.mutex.acquire(blocking=False):
            yield False
            return
        try:
            yield True
        finally:
            self.mutex.release()


@both
@pytest.mark.parametrize("broken", ["load", "store"])
def test_a_store_that_hangs(emulator, options, hang, caplog, broken, make, get):
    store = Store(hang, broken)
    client = make(**options, cache=store, duration_seconds=3600)
    get(impatient(client, store_timeout=0.3))
    assert store.asked.count(broken) == 1
    assert "it did not answer in time" in caplog.text
    asked = len(store.asked)
    if broken == "load":
        assert store.asked == ["load"], "then it is left alone"
    emulator.advance(30)
    get(client)
    assert len(store.asked) == asked


def test_what_cannot_be_read_is_told(emulator, options, caplog):
    store = Store(None)
    Client(**options, cache=store).credentials()
    (key,) = store.values
    for value in (b"sealed by another key", "no bytes"):
        store.values[key] = value
        caplog.clear()
        assert Client(**options, cache=store).credentials()
        assert "the shared entry cannot be read" in caplog.text
        assert isinstance(store.values[key], bytes) and store.values[key] != value, "and is replaced"


def test_workers_that_wait_for_one_that_fails(files, tmp_path):
    """They hear of its failure, instead of failing one after another."""
    refusal = b'{"message":"Untrusted certificate"}'

    def answer(*_):
        time.sleep(0.5)
        return 403, {"x-amzn-ErrorType": "AccessDeniedException"}, refusal

    with server(answer) as (url, requests):
        failures = []

        def work():
            client = Client(**ARNS, **files, endpoint=url, cache=DiskCache(tmp_path / "cache"))
            with pytest.raises(rolesanywhere.AccessDeniedError) as caught:
                client.credentials()
            failures.append(str(caught.value))

        threads = [threading.Thread(target=work) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(failures) == 10 and len(requests) == 1
        assert sum("another process failed" in failure for failure in failures) == 9


def test_properties_in_any_order_are_one_session(emulator, options):
    store = Store(None)
    keys = {
        Client(**options, cache=store, instance_properties=properties).credentials().access_key_id
        for properties in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    }
    assert len(keys) == 1 and emulator.sessions() == 1


def test_credentials_without_a_check_of_the_server_are_not_shared(emulator, options, files):
    """Whoever answers a client that accepts any server must not fill the others' store."""
    from rolesanywhere.boto import BotocoreTransport

    store, session = Store(None), botocore.session.Session()
    for verify in (None, False):
        transport = BotocoreTransport(session, verify=verify)
        Client(**options, cache=store, transport=transport).credentials()
    assert emulator.sessions() == 2 and len(store.values) == 2


def test_what_is_logged(emulator, options, caplog):
    caplog.set_level(logging.DEBUG, "rolesanywhere")
    Client(**options).credentials()
    levels = {record.levelname for record in caplog.records if "new credentials" in record.message}
    assert levels == {"DEBUG"}
