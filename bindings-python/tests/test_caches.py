"""Stores that are down, entries that are corrupt, and the clock that the processes of a machine share."""

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import threading
import time

import pytest
from emulator import ROOT
from rolesanywhere import AsyncClient, Client, DiskCache, _driver
from support import ARNS

#: `tests/build-programs` builds it beside the emulator.
COMMAND = ROOT / "target" / "debug" / "rolesanywhere"


class Broken:
    """A store that is down, as Redis clients tell it: by exceptions of their own."""

    def __init__(self, *broken):
        self.broken, self.values = broken, {}

    def load(self, key):
        if "load" in self.broken:
            raise ConnectionError("secret-in-a-message")
        return self.values.get(key)

    def store(self, key, value, ttl_seconds):
        if "store" in self.broken:
            raise ConnectionError("secret-in-a-message")
        self.values[key] = value

    @contextlib.contextmanager
    def lock(self, key):
        if "enter" in self.broken:
            raise ConnectionError("secret-in-a-message")
        yield
        if "exit" in self.broken:
            raise RuntimeError("cannot release a lock that is no longer owned")


@pytest.mark.parametrize("broken", ["load", "store", "enter", "exit"])
def test_a_store_that_is_down_takes_nothing_down_with_it(emulator, options, broken, caplog):
    with caplog.at_level(logging.WARNING, "rolesanywhere"):
        assert Client(**options, cache=Broken(broken)).credentials()
        assert asyncio.run(AsyncClient(**options, cache=Broken(broken)).credentials())
    # Whatever it fails at, it is left alone for a while.
    assert caplog.text.count("sessions are not shared for a while") == 2
    assert "secret-in-a-message" not in caplog.text
    assert emulator.sessions() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"issued_at": 10**30},
        {"expiration": 10**30},
        {"expiration": "10000000-01-01T00:00:00Z"},
        {"expiration": True},
        {"issued_at": "now"},
        {"secret_access_key": ""},
        {"secret_access_key": "two\nlines"},
        {"version": "2"},
    ],
    ids=repr,
)
def test_entries_that_are_corrupt(emulator, options, tmp_path, change):
    cache = DiskCache(tmp_path / "cache")
    first = Client(**options, cache=cache).credentials()
    (file,) = (tmp_path / "cache").glob("*.json")
    entry = json.loads(file.read_bytes())
    file.write_text(json.dumps({**entry, **change}))
    second = Client(**options, cache=cache).credentials()
    assert second != first
    assert second.account_id == first.account_id


def test_a_half_written_entry_and_a_folder_in_its_place(emulator, options, tmp_path):
    cache = DiskCache(tmp_path / "cache")
    Client(**options, cache=cache).credentials()
    (file,) = (tmp_path / "cache").glob("*.json")
    content = file.read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        assert Client(**options, cache=cache).credentials()
    file.unlink()
    file.mkdir()
    assert Client(**options, cache=cache).credentials()
    file.rmdir()
    os.mkfifo(file, 0o600)
    assert Client(**options, cache=cache).credentials(), "a pipe is not waited for"
    assert file.is_file()
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert cache.load(file.stem) is None, "a link is not followed"


def test_a_folder_that_others_can_write_to_is_not_used(emulator, options, tmp_path, caplog):
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    with caplog.at_level(logging.WARNING, "rolesanywhere"):
        assert Client(**options, cache=DiskCache(folder)).credentials()
    assert "open to other users" in caplog.text
    assert not list(folder.glob("*.json")) and not list(folder.glob(".new-*"))
    folder.chmod(0o700)
    Client(**options, cache=DiskCache(folder)).credentials()
    (file,) = folder.glob("*.json")
    assert DiskCache(folder).load(file.stem)
    folder.chmod(0o770)
    assert DiskCache(folder).load(file.stem) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_users_folder_is_not_used(emulator, options, tmp_path):
    folder = tmp_path / "cache"
    cache = DiskCache(folder)
    Client(**options, cache=cache).credentials()
    (file,) = folder.glob("*.json")
    os.chown(file, 65534, 65534)
    assert cache.load(file.stem) is None
    os.chown(file, 0, 0)
    assert cache.load(file.stem)
    os.chown(folder, 65534, 65534)
    assert cache.load(file.stem) is None


def test_a_lock_that_is_never_freed_is_not_waited_for_for_ever(emulator, options, tmp_path, caplog):
    cache, ticks = DiskCache(tmp_path / "cache"), []
    Client(**options, cache=cache).credentials()
    (file,) = (tmp_path / "cache").glob("*.json")
    file.unlink()

    def ticking():
        # Each reading of this clock takes a third of a second, so that half a minute passes in seconds.
        ticks.append(None)
        return emulator.clock() + len(ticks) / 3

    options["clock"] = ticking
    with cache.lock(file.stem) as held:
        assert held
        assert Client(**options, cache=cache).credentials(), "without the lock"
    assert "longer than its lease" in caplog.text


class Waiting:
    """A cache whose lock waits by itself, as Redis's does."""

    def __init__(self):
        self.values, self.lock_of, self.entered, self.threads = {}, threading.Lock(), [], []

    def load(self, key):
        return self.values.get(key)

    def store(self, key, value, ttl_seconds):
        self.values[key] = value

    @contextlib.contextmanager
    def lock(self, key):
        self.threads.append(threading.get_ident())
        with self.lock_of:
            self.entered.append(key)
            try:
                yield
            finally:
                self.threads.append(threading.get_ident())


@pytest.mark.parametrize("late", [False, True], ids=["sync", "async"])
def test_a_lock_that_waits_by_itself(emulator, options, late):
    """While it is waited for the store is looked at, and what comes late is let go."""
    cache = Waiting()
    first = Client(**options, cache=cache).credentials()
    entered, left = cache.threads
    assert entered == left != threading.get_ident(), "one thread enters and leaves it"
    stored, cache.values = cache.values, {}
    cache.lock_of.acquire()
    threading.Timer(0.5, lambda: cache.values.update(stored)).start()
    began = time.monotonic()
    if late:
        found = asyncio.run(AsyncClient(**options, cache=cache).credentials())
    else:
        found = Client(**options, cache=cache).credentials()
    assert found == first and time.monotonic() - began < 10
    assert emulator.sessions() == 1
    cache.lock_of.release()
    until = time.monotonic() + 10
    while cache.lock_of.locked() or len(cache.entered) < 2:
        assert time.monotonic() < until, "a lock that came too late is not kept"
        time.sleep(0.01)


# The clock of a machine, which its processes share.


@pytest.fixture
def machine(options, monkeypatch):
    """By how many seconds the machine's clock is wrong."""
    wrong, right = [0], time.time
    monkeypatch.setattr(time, "time", lambda: right() + wrong[0])
    options["clock"] = time.time
    return wrong


@pytest.mark.parametrize("wrong", [7200, -7200, 86400 * 365, -86400 * 365])
def test_processes_share_what_one_has_learnt_of_the_clock(
    emulator, options, machine, tmp_path, wrong
):
    machine[0] = wrong
    cache = DiskCache(tmp_path / "cache")
    first = Client(**options, cache=cache, duration_seconds=3600).credentials()
    calls = emulator.calls()
    assert calls == 2, "the first was refused for its date"
    other = Client(**options, cache=cache, duration_seconds=3600)
    for _ in range(3):
        assert other.credentials() == first
    assert abs(other.seconds_left() - 3600) < 60, "by the clock that counts"
    assert not other.renewal_is_due()
    assert emulator.calls() == calls
    # Its own requests are dated rightly at once.
    other.create_session()
    assert emulator.calls() == calls + 1


def test_what_was_learnt_counts_until_the_clock_is_set(emulator, options, machine, tmp_path):
    machine[0] = -7200
    cache = DiskCache(tmp_path / "cache")
    first = Client(**options, cache=cache, duration_seconds=3600).credentials()
    machine[0] = 0
    again = Client(**options, cache=cache, duration_seconds=3600)
    assert again.credentials() == first, "the entry itself is good"
    assert abs(again.seconds_left() - 3600) < 60
    calls = emulator.calls()
    again.create_session()
    assert emulator.calls() == calls + 1, "the old offset is forgotten"


def test_what_another_machine_learnt_does_not_count(
    emulator, options, machine, tmp_path, monkeypatch
):
    machine[0] = -7200
    cache = DiskCache(tmp_path / "cache")
    Client(**options, cache=cache, duration_seconds=3600).credentials()
    monkeypatch.setattr(_driver, "_machine", lambda: "another machine")
    calls = emulator.calls()
    # Its clock is slow too, as the entry from the future shows: so it asks the service.
    Client(**options, cache=cache, duration_seconds=3600).credentials()
    assert emulator.calls() > calls
    monkeypatch.setattr(_driver, "_machine", lambda: None)
    Client(**options, cache=cache, duration_seconds=3600).credentials()


def test_a_fork_keeps_what_was_learnt_from_the_cache(emulator, options, machine, tmp_path):
    from test_workers import fork

    machine[0] = 7200
    cache = DiskCache(tmp_path / "cache")
    Client(**options, cache=cache, duration_seconds=3600).credentials()
    restored = Client(**options, cache=cache, duration_seconds=3600)
    key = restored.credentials().access_key_id
    calls = emulator.calls()
    child = fork(lambda: [restored.credentials().access_key_id, restored.seconds_left()])()
    assert child[0] == key and abs(child[1] - 3600) < 60
    assert emulator.calls() == calls


@pytest.mark.parametrize("first", ["command", "client"])
def test_the_command_and_a_client_share_one_session(emulator, options, files, tmp_path, first):
    folder = tmp_path / "shared"

    def command():
        line = [str(COMMAND), "credential-process", "--endpoint", emulator.endpoint, "--cache-dir", str(folder)]
        line += ["--certificate", files["certificate"], "--private-key", files["private_key"]]
        for name, arn in ARNS.items():
            line += [f"--{name.replace('_', '-')}", arn]
        ended = subprocess.run(line, capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
        return json.loads(ended.stdout)["AccessKeyId"]

    def client():
        # The command asks for an hour, unless it is told otherwise.
        own = Client(**options, duration_seconds=3600, cache=DiskCache(folder))
        return own.credentials().access_key_id

    turns = [command, client] if first == "command" else [client, command]
    used = [turn() for turn in turns]
    assert used[0] == used[1]
    assert emulator.sessions() == 1
