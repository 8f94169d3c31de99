"""The examples run as they stand, against the emulator."""

import importlib.util
import subprocess
import sys

import boto3
import pytest
import rolesanywhere
from cryptography.hazmat.primitives import serialization
from support import ACCOUNT, ARNS, REGION, ROOT
from test_boto import moto  # noqa: F401  (a fixture)

EXAMPLES = ROOT / "examples" / "python"


@pytest.fixture
def environment(emulator, monkeypatch):
    for name, arn in ARNS.items():
        monkeypatch.setenv(f"AWS_ROLESANYWHERE_{name.upper()}", arn)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", emulator.endpoint)


def run(name, *arguments):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_whoami(environment, files):
    output = run("whoami.py", *files.values())
    assert output.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/app/")


def test_signed_requests(environment, files):
    output = run("signed_requests.py", *files.values())
    assert output.count(f"<Account>{ACCOUNT}</Account>") == 2


@pytest.mark.parametrize("kind", ["RSA_2048", "ECC_NIST_P256"])
def test_a_key_in_kms(emulator, authority, moto, kind):  # noqa: F811
    specification = importlib.util.spec_from_file_location("kms", EXAMPLES / "kms_signer.py")
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    kms = boto3.client(
        "kms",
        REGION,
        endpoint_url=moto,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    key_id = kms.create_key(KeySpec=kind, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    public_key = serialization.load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    certificate, _ = authority.issue(public_key=public_key)
    session = rolesanywhere.boto3_session(
        **ARNS,
        certificate=certificate,
        signer=example.kms_signer(kms, key_id),
        endpoint=emulator.endpoint,
    )
    sts = session.client("sts", endpoint_url=emulator.endpoint)
    assert sts.get_caller_identity()["Account"] == ACCOUNT
