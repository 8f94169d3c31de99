"""Forked workers, and the caches that processes share."""

import contextlib
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
import traceback

import pytest
import rolesanywhere
from rolesanywhere import AsyncClient, Client, DiskCache
from rolesanywhere.transport import HttpTransport

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system"),
    # Threads at the time of a fork are what these tests are about.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def fork(work):
    """Runs `work` in a child; returns what waits for its result, JSON."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            os.write(writer, json.dumps(work()).encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)

    def wait():
        with open(reader, "rb") as file:
            output = file.read()
        assert os.waitpid(child, 0)[1] == 0, "the child failed"
        return json.loads(output)

    return wait


def test_workers_use_what_their_parent_had(emulator, options):
    client = Client(**options)
    parent = client.credentials().access_key_id
    children = [fork(lambda: client.credentials().access_key_id) for _ in range(8)]
    assert {child() for child in children} == {parent}
    assert emulator.sessions() == 1


def test_workers_renew_each_for_itself_and_at_different_times(emulator, options):
    client = Client(**options, duration_seconds=3600)
    client.credentials()

    def first_renewal():
        # The jitter is the process's own: it is drawn anew after the fork.
        held = client.current
        for second in range(2600, 3300, 5):
            client._life._wall = lambda: time.time() + second
            if client.renewal_is_due():
                return second
        return held.expires_at

    dues = [fork(first_renewal)() for _ in range(8)]
    assert len(set(dues)) > 3, dues
    assert all(2690 <= due <= 2930 for due in dues), dues
    # The parent's clock, at which renewal is due in every process.
    emulator.advance(2950)
    children = [fork(lambda: client.credentials().access_key_id) for _ in range(8)]
    keys = {child() for child in children}
    assert len(keys) == 8 and client.current.access_key_id not in keys
    assert emulator.sessions() == 9


def test_a_fork_while_another_thread_renews(emulator, options):
    send, gate, entered = HttpTransport(), threading.Event(), threading.Event()
    parent = os.getpid()

    def transport(request):
        entered.set()
        if os.getpid() == parent:
            assert gate.wait(30)
        return send(request)

    client = Client(**options, transport=transport)
    renewing = threading.Thread(target=client.credentials)
    renewing.start()
    assert entered.wait(10)
    # The parent's thread holds the renewal; in the child that thread does not exist.
    child = fork(lambda: client.credentials().access_key_id)()
    gate.set()
    renewing.join()
    assert child != client.credentials().access_key_id
    assert emulator.sessions() == 2


def test_an_asynchronous_client_after_a_fork(emulator, options):
    import asyncio

    client = AsyncClient(**options)
    parent = asyncio.run(client.credentials()).access_key_id
    children = [fork(lambda: asyncio.run(client.credentials()).access_key_id) for _ in range(3)]
    assert {child() for child in children} == {parent}
    assert emulator.sessions() == 1


def test_boto3_in_prefork_workers(emulator, options):
    """As gunicorn with `preload_app`, or celery: the session and a client are made, then forked."""
    session = rolesanywhere.boto3_session(**options)
    arn = session.client("sts", endpoint_url=emulator.endpoint).get_caller_identity()["Arn"]
    # One that has no connection yet: botocore's clients themselves do not survive a fork with one.
    sts = session.client("sts", endpoint_url=emulator.endpoint)

    def work():
        own = session.client("sts", endpoint_url=emulator.endpoint)
        return [sts.get_caller_identity()["Arn"], own.get_caller_identity()["Arn"]]

    for child in [fork(work) for _ in range(8)]:
        assert child() == [arn, arn]
    assert emulator.sessions() == 1


APPLICATION = """
import json, os, time
import boto3, rolesanywhere
session = rolesanywhere.boto3_session(**json.loads(os.environ["OPTIONS"]))
sts = session.client("sts", endpoint_url=os.environ["STS"])
before = session.get_credentials().get_frozen_credentials().access_key

def application(environ, start_response):
    found = [os.getpid(), before, session.get_credentials().access_key, sts.get_caller_identity()["Arn"]]
    time.sleep(0.05)  # so that one worker does not serve them all
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]
"""


def test_gunicorn_with_eight_workers(emulator, options, tmp_path):
    """A preloaded application: credentials are had before the forks, and used in every worker."""
    from concurrent.futures import ThreadPoolExecutor
    from urllib.request import urlopen

    (tmp_path / "application.py").write_text(APPLICATION)
    del options["clock"]
    environment = {**os.environ, "OPTIONS": json.dumps(options), "STS": emulator.endpoint}
    log = tmp_path / "gunicorn.log"
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--preload", "--workers", "8", "--bind", "127.0.0.1:0"]
        + ["--log-file", str(log), "application"],
        cwd=tmp_path,
        env=environment,
    )
    try:
        url = None
        until = time.monotonic() + 30
        while url is None:
            assert gunicorn.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.05)
            url = re.search(r"http://127\.0\.0\.1:\d+", log.read_text() if log.exists() else "")
        answers = []
        with ThreadPoolExecutor(16) as pool:
            while len({answer[0] for answer in answers}) < 8:
                assert time.monotonic() < until, answers
                answers += pool.map(lambda _: json.load(urlopen(url.group(), timeout=10)), range(32))
    finally:
        gunicorn.terminate()
        gunicorn.wait(20)
    assert len({tuple(answer[1:]) for answer in answers}) == 1
    assert answers[0][1] == answers[0][2]
    assert emulator.sessions() == 1


def test_processes_share_a_session_on_disk(emulator, options, tmp_path):
    folder = tmp_path / "cache"

    def work():
        client = Client(**options, cache=DiskCache(folder), duration_seconds=3600)
        return client.credentials().access_key_id

    children = [fork(work) for _ in range(8)]
    keys = {child() for child in children}
    assert len(keys) == 1
    assert emulator.sessions() == 1
    # A process that finds a session is served with it; in the last five minutes it waits for another.
    emulator.advance(3400)
    children = [fork(work) for _ in range(8)]
    assert not {child() for child in children} & keys
    assert emulator.sessions() == 2


def test_the_cache_on_disk_is_private(emulator, options, tmp_path, caplog):
    folder = tmp_path / "cache"
    cache = DiskCache(folder)
    credentials = Client(**options, cache=cache).credentials()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = sorted(folder.iterdir())
    assert [file.suffix for file in files] == [".json", ".lock"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    key = files[0].stem
    assert Client(**options, cache=cache).credentials() == credentials
    # What others can read, others may have written.
    files[0].chmod(0o644)
    assert cache.load(key) is None
    assert "open to other users" in caplog.text
    assert Client(**options, cache=cache).credentials() != credentials
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    with pytest.raises(rolesanywhere.InvalidInputError):
        cache.load("../../etc/passwd")


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def test_what_a_cache_must_not_be_believed(emulator, options, tmp_path):
    cache = DiskCache(tmp_path / "cache")
    good = Client(**options, cache=cache, duration_seconds=3600)
    good.credentials()
    (file,) = (tmp_path / "cache").glob("*.json")
    entry = json.loads(file.read_bytes())
    for number, content in enumerate(
        [
            b"",
            b"[]",
            b"{",
            b"\xff",
            json.dumps({**entry, "version": 1}).encode(),
            json.dumps({**entry, "access_key_id": None}).encode(),
            json.dumps({**entry, "expiration": "soon"}).encode(),
            json.dumps({**entry, "expiration": iso(entry["issued_at"] + 86400)}).encode(),
            json.dumps({**entry, "issued_at": entry["issued_at"] - 7200, "expiration": iso(time.time() - 9)}).encode(),
            json.dumps({**entry, "issued_at": -1, "expiration": "1970-01-01T00:00:00Z"}).encode(),
            b"x" * 300_000,
        ]
    ):
        file.write_bytes(content)
        Client(**options, cache=cache, duration_seconds=3600).credentials()
        assert emulator.sessions() == 2 + number, content[:80]


def test_other_parameters_are_another_session(emulator, options, authority, tmp_path):
    cache = DiskCache(tmp_path / "cache")
    certificate, key = authority.issue("another")
    for change in (
        {},
        {"duration_seconds": 1800},
        {"role_session_name": "other"},
        {"instance_properties": {"a": "b"}},
        {"certificate": certificate, "private_key": key},
    ):
        Client(**{**options, **change}, cache=cache).credentials()
    assert emulator.sessions() == 5


class MemoryCache:
    """What a shared store of a caller's looks like."""

    def __init__(self):
        self.values, self.lifetimes, self.locked = {}, [], []

    def load(self, key):
        return self.values.get(key)

    def store(self, key, value, ttl_seconds):
        self.values[key] = value
        self.lifetimes.append(ttl_seconds)

    @contextlib.contextmanager
    def lock(self, key):
        self.locked.append(key)
        yield True


def test_a_cache_of_the_callers(emulator, options):
    import asyncio

    cache = MemoryCache()
    first = Client(**options, cache=cache, duration_seconds=3600).credentials()
    second = asyncio.run(AsyncClient(**options, cache=cache, duration_seconds=3600).credentials())
    assert first == second
    assert emulator.sessions() == 1
    assert len(cache.locked) == 1, "a session that is found needs no lock"
    assert 3590 <= cache.lifetimes[0] <= 3600


def test_a_full_or_foreign_folder_is_no_reason_to_fail(emulator, options, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("")
    client = Client(**options, cache=DiskCache(blocked / "cache"))
    assert client.credentials()
    assert "cannot be cached" in caplog.text


def test_a_lock_whose_holder_died_is_free(emulator, options, tmp_path):
    cache = DiskCache(tmp_path)

    def hold_and_die():
        with cache.lock("a"):
            os._exit(0)

    child = os.fork()
    if child == 0:
        hold_and_die()
    os.waitpid(child, 0)
    began = time.monotonic()
    with cache.lock("a") as held:
        assert held
    assert time.monotonic() - began < 1


def test_a_child_does_not_keep_its_parents_lock(tmp_path):
    cache = DiskCache(tmp_path)
    with cache.lock("a") as held:
        assert held
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)  # lives on after its parent has let go
            os._exit(0)
    began, held = time.monotonic(), False
    while not held:  # until the child has come to close what it inherited
        assert time.monotonic() - began < 5
        with cache.lock("a") as held:
            pass
    os.close(writer)
    os.close(reader)
    os.waitpid(child, 0)
