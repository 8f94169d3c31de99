import os

import boto3
import pytest
from botocore.config import Config

from support import REGION, Authority, Emulator


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


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    running = Emulator(tmp_path_factory.mktemp("emulator"))
    yield running
    running.close()


@pytest.fixture
def client(emulator):
    """Makes clients of boto3 as everybody makes them, with made-up keys."""

    def make(service, running=emulator, retries=0, **options):
        options = {
            "aws_access_key_id": "testing",
            "aws_secret_access_key": "testing",
            **options,
        }
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=running.endpoint,
            verify=running.ca_file,
            config=Config(retries={"total_max_attempts": retries + 1, "mode": "standard"}),
            **options,
        )

    return make


@pytest.fixture
def rolesanywhere(client):
    return client("rolesanywhere")


@pytest.fixture
def iam(client):
    return client("iam")
