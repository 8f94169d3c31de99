import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from support import ARNS, CONFIG, Authority, Emulator  # noqa: E402


@pytest.fixture(scope="session")
def authority():
    return Authority()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No configuration of the machine's reaches a test."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def emulator(tmp_path, authority):
    folder = tmp_path / "emulator"
    folder.mkdir()
    running = Emulator(folder, authority.pem)
    yield running
    running.close()


@pytest.fixture
def files(tmp_path, authority):
    """A certificate and its key as files: `certificate` and `private_key` of a client."""
    certificate, key = authority.issue()
    (tmp_path / "client.pem").write_bytes(certificate)
    (tmp_path / "client.key").write_bytes(key)
    return {
        "certificate": str(tmp_path / "client.pem"),
        "private_key": str(tmp_path / "client.key"),
    }


@pytest.fixture
def options(emulator, files):
    """All that a client needs to reach the emulator."""
    return {**ARNS, **files, "endpoint": emulator.endpoint, "clock": emulator.clock}


@pytest.fixture
def botocore_clock(emulator, monkeypatch):
    """botocore dates the requests that it signs by the emulator's clock."""
    import datetime

    import botocore.auth

    def now(remove_tzinfo=True):
        time = datetime.datetime.fromtimestamp(emulator.clock(), datetime.timezone.utc)
        return time.replace(tzinfo=None) if remove_tzinfo else time

    monkeypatch.setattr(botocore.auth, "get_current_datetime", now)


@pytest.fixture
def new_emulator(tmp_path, authority):
    """Makes emulators with a configuration of the test's."""
    running = []

    def make(name, config=CONFIG, **options):
        folder = tmp_path / name
        folder.mkdir()
        running.append(Emulator(folder, authority.pem, config=config, **options))
        return running[-1]

    yield make
    for emulator in running:
        emulator.close()
