"""asyncio: the asynchronous client and aiobotocore."""

import asyncio
import logging
import subprocess
import sys
import textwrap

import pytest
import rolesanywhere
from rolesanywhere import AsyncClient, Identity
from rolesanywhere.transport import HttpTransport
from support import ACCOUNT, ARNS, REGION, new_key
from test_boto import credential_process, moto, profile_keys  # noqa: F401  (a fixture)


async def test_credentials(emulator, options):
    client = AsyncClient(**options)
    credentials = await client.credentials()
    assert credentials.account_id == ACCOUNT
    assert await client.credentials() is credentials
    assert (await client.create_session()).role_arn == ARNS["role_arn"]


async def test_one_renewal_for_many_tasks(emulator, options):
    client = AsyncClient(**options, duration_seconds=3600)
    for number in range(1, 4):
        found = await asyncio.gather(*(client.credentials() for _ in range(100)))
        assert len(set(found)) == 1
        assert emulator.sessions() == number
        emulator.advance(3590)


async def test_tasks_do_not_wait_for_a_background_renewal(emulator, options):
    send, gate = HttpTransport(), asyncio.Event()
    gate.set()

    async def transport(request):
        await gate.wait()
        return await asyncio.to_thread(send, request)

    client = AsyncClient(**options, transport=transport, duration_seconds=3600)
    first = await client.credentials()
    gate.clear()
    emulator.advance(2950)
    assert await asyncio.wait_for(client.credentials(), 1) is first
    assert await asyncio.wait_for(client.credentials(), 1) is first
    gate.set()
    while client.current is first:
        await asyncio.sleep(0.01)
    assert emulator.sessions() == 2


async def test_whoever_is_cancelled_takes_nothing_from_the_others(emulator, options):
    send, gate = HttpTransport(), asyncio.Event()

    async def transport(request):
        await gate.wait()
        return await asyncio.to_thread(send, request)

    client = AsyncClient(**options, transport=transport)
    first = asyncio.ensure_future(client.credentials())
    second = asyncio.ensure_future(client.credentials())
    await asyncio.sleep(0.05)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.set()
    assert await second
    assert emulator.sessions() == 1


def test_one_loop_after_another(emulator, options):
    client = AsyncClient(**options, duration_seconds=3600)
    first = asyncio.run(client.credentials())
    assert asyncio.run(client.credentials()) is first
    emulator.advance(3590)
    assert asyncio.run(client.credentials()) is not first


async def test_failures_are_raised_until_the_next_try_is_due(emulator, options):
    outages = [0]

    async def transport(request):
        outages[0] += 1
        raise ConnectionResetError("gone")

    client = AsyncClient(**options, transport=transport, max_attempts=2)
    failures = await asyncio.gather(
        *(client.credentials() for _ in range(10)), return_exceptions=True
    )
    assert {type(failure) for failure in failures} == {rolesanywhere.TransportFailedError}
    assert outages[0] == 2
    with pytest.raises(rolesanywhere.TransportFailedError):
        await client.credentials()
    assert outages[0] == 2
    emulator.advance(301)
    with pytest.raises(rolesanywhere.TransportFailedError):
        await client.credentials()
    assert outages[0] == 4


async def test_valid_credentials_outlive_a_failing_renewal(emulator, options, caplog):
    send, outage = HttpTransport(), []

    async def transport(request):
        if outage:
            raise ConnectionResetError("gone")
        return await asyncio.to_thread(send, request)

    client = AsyncClient(**options, transport=transport, duration_seconds=3600, max_attempts=1)
    first = await client.credentials()
    outage.append(None)
    emulator.advance(3400)
    with caplog.at_level(logging.WARNING, "rolesanywhere"):
        assert await client.credentials() is first
    assert "used on" in caplog.text


async def test_external_signers(emulator, authority):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key = new_key("rsa")
    certificate, _ = authority.issue(key=key)

    def sign(message):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()  # a slow signer must not hold the loop
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    async def sign_later(message):
        await asyncio.sleep(0)
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    async def identity():
        return Identity(certificate, signer=sign_later)

    for given in (
        {"certificate": certificate, "signer": sign},
        {"certificate": certificate, "signer": sign_later},
        {"identity": identity},
    ):
        client = AsyncClient(**ARNS, **given, endpoint=emulator.endpoint)
        assert await client.credentials()
    assert emulator.sessions() == 3

    async def bad(message):
        return "text"

    client = AsyncClient(
        **ARNS, certificate=certificate, signer=bad, endpoint=emulator.endpoint
    )
    with pytest.raises(rolesanywhere.SigningFailedError, match="bytes"):
        await client.credentials()


async def test_aiobotocore(emulator, options, moto):  # noqa: F811
    from rolesanywhere.aioboto import get_session

    session = get_session(**options)
    async with session.create_client("sts", endpoint_url=emulator.endpoint) as sts:
        for _ in range(3):
            identity = await sts.get_caller_identity()
            assert identity["Account"] == ACCOUNT
    async with session.create_client("s3", endpoint_url=moto) as s3:
        await s3.create_bucket(
            Bucket="aio", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        await s3.put_object(Bucket="aio", Key="k", Body=b"content")
        answer = await s3.get_object(Bucket="aio", Key="k")
        assert await answer["Body"].read() == b"content"
    credentials = await session.get_credentials()
    assert credentials.method == "roles-anywhere"
    assert await credentials.get_account_id() == ACCOUNT
    frozen = await credentials.get_frozen_credentials()
    assert frozen.access_key == await credentials.get_access_key()
    assert frozen.token == await credentials.get_token()
    assert frozen.secret_key == await credentials.get_secret_key()
    assert emulator.sessions() == 1


async def test_aiobotocore_over_simulated_hours(emulator, options, botocore_clock):
    from rolesanywhere.aioboto import get_session

    session = get_session(**options, duration_seconds=900)
    async with session.create_client("sts", endpoint_url=emulator.endpoint) as sts:
        for _ in range(60):
            assert (await sts.get_caller_identity())["Account"] == ACCOUNT
            emulator.advance(60)
            await asyncio.sleep(0.02)  # for the renewal in the background
    # An hour; a session of 15 minutes serves for 10 to 12.
    assert 5 <= emulator.sessions() <= 7


async def test_aiobotocore_over_tls(new_emulator, tmp_path, files, monkeypatch):
    from rolesanywhere.aioboto import get_session

    emulator = new_emulator("tls", tls=True)
    bundle = tmp_path / "ca-bundle.pem"
    bundle.write_text(emulator.ca_pem)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    session = get_session(**ARNS, **files, endpoint=emulator.endpoint)
    async with session.create_client("sts", endpoint_url=emulator.endpoint) as sts:
        assert (await sts.get_caller_identity())["Account"] == ACCOUNT


async def test_aiobotocore_installed(emulator, files, tmp_path, monkeypatch):
    from aiobotocore.session import AioSession
    from rolesanywhere import aioboto

    config = tmp_path / "aio-config"
    config.write_text(
        f"[profile app]\n{profile_keys(files, emulator)}"
        f"[profile line]\n{credential_process(files, emulator)}"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    aioboto.install()
    try:
        for profile in ("app", "line"):
            session = AioSession(profile=profile)
            credentials = await session.get_credentials()
            assert credentials.method == "roles-anywhere"
            assert (await credentials.get_frozen_credentials()).access_key.startswith("ASIA")
    finally:
        rolesanywhere.uninstall()
    session = AioSession(profile="app")
    assert await session.get_credentials() is None
    aioboto.install(session)
    assert (await AioSession(profile="app").get_credentials()) is None


def test_aiobotocore_is_imported_only_when_used():
    program = textwrap.dedent(
        """
        import sys, rolesanywhere
        rolesanywhere.AsyncClient, rolesanywhere.boto3_session
        assert "aiobotocore" not in sys.modules and "boto3" not in sys.modules
        """
    )
    subprocess.run([sys.executable, "-c", program], check=True)
