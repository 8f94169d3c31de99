"""The synchronous client against the emulator."""

import datetime
import logging
import os
import subprocess
import sys
import threading
import time

import pytest
import rolesanywhere
from rolesanywhere import Client, Identity, Signer
from support import ACCOUNT, ARNS, VECTORS, Authority, Emulator, key_pem, new_key, server


@pytest.mark.parametrize(
    "kind", ["rsa", "p256", "p384", "p521", "mldsa44", "mldsa65", "mldsa87"]
)
def test_every_kind_of_key_gets_credentials(emulator, authority, kind):
    certificate, key = authority.issue(kind=kind)
    client = Client(**ARNS, certificate=certificate, private_key=key, endpoint=emulator.endpoint)
    credentials = client.credentials()
    assert credentials.access_key_id.startswith("ASIA")
    assert credentials.account_id == ACCOUNT
    assert credentials.assumed_role_arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/app/")
    assert credentials.expiration.tzinfo is datetime.timezone.utc
    # Accepted is not enough: the service notes where a request does not conform.
    assert emulator.records()[-1]["nonconformance"] == []


def test_the_forms_that_an_identity_comes_in(emulator, authority, tmp_path):
    certificate, key = authority.issue()
    both = tmp_path / "both.pem"
    both.write_bytes(key + certificate)
    der = subprocess.run(
        ["openssl", "x509", "-outform", "DER"], input=certificate, capture_output=True, check=True
    ).stdout
    key_der = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"],
        input=key,
        capture_output=True,
        check=True,
    ).stdout
    pfx = tmp_path / "client.p12"
    pfx.write_bytes(
        subprocess.run(
            ["openssl", "pkcs12", "-export", "-in", both, "-passout", "pass:open sesame"],
            capture_output=True,
            check=True,
        ).stdout
    )
    client = Client(*ARNS.values(), pfx, password="open sesame", endpoint=emulator.endpoint)
    assert client.credentials().access_key_id
    for arguments in [
        (certificate, key),
        (certificate.decode(), key.decode()),
        (str(both), None),
        (both, None),
        (os.fsencode(both).decode(), both),
        (der, key_der),
        (bytearray(certificate), bytearray(key)),
    ]:
        client = Client(*ARNS.values(), *arguments, endpoint=emulator.endpoint)
        assert client.credentials().access_key_id
    assert emulator.sessions() == 8


def test_a_full_chain_in_any_order_is_sent_whole(emulator, authority):
    middle = Authority("Intermediate", parent=authority)
    certificate, key = middle.issue()
    for certificates, chain in [
        (certificate + middle.pem, None),
        (authority.pem + middle.pem + certificate, None),
        (certificate, middle.pem),
    ]:
        client = Client(
            **ARNS,
            certificate=certificates,
            private_key=key,
            certificate_chain=chain,
            endpoint=emulator.endpoint,
        )
        assert client.credentials()
    alone = Client(**ARNS, certificate=certificate, private_key=key, endpoint=emulator.endpoint)
    with pytest.raises(rolesanywhere.AccessDeniedError):
        alone.credentials()


def test_the_longest_headers_are_sent(tmp_path):
    vectors = VECTORS / "long-chain"
    emulator = Emulator(tmp_path, (vectors / "root.pem").read_bytes())
    try:
        client = Client(
            **ARNS,
            certificate=vectors / "certificate.pem",
            private_key=vectors / "key.pem",
            certificate_chain=vectors / "chain.pem",
            endpoint=emulator.endpoint,
        )
        assert client.credentials().access_key_id
    finally:
        emulator.close()


def test_half_a_day_of_hours_in_simulation(emulator, options):
    client = Client(**options, duration_seconds=3600)
    seen = set()
    for _ in range(12 * 60):
        credentials = client.credentials()
        assert credentials.expires_at > emulator.clock()
        seen.add(credentials.access_key_id)
        emulator.advance(60)
    # Each session serves for 45 to 49 minutes: the window of a quarter of an hour, with its jitter.
    assert 720 / 49 <= emulator.sessions() <= 720 / 45 + 1
    assert len(seen) == emulator.sessions()


def test_the_shortest_session_is_not_renewed_at_every_use(emulator, options):
    client = Client(**options, duration_seconds=900)
    for _ in range(20):
        client.credentials()
    assert emulator.sessions() == 1
    for _ in range(60):
        emulator.advance(30)
        assert client.credentials().expires_at > emulator.clock()
    # 30 minutes; a session of 15 serves for 10 to 11.25.
    assert emulator.sessions() in (3, 4)


def test_the_answer_is_told_whole(options):
    client = Client(**options, role_session_name="job-7", arn_placement="body")
    session = client.create_session()
    assert session.role_arn == ARNS["role_arn"]
    assert session.assumed_role_arn.endswith("/job-7")
    assert session.subject_arn.startswith("arn:aws:rolesanywhere:")
    assert session.request_id
    assert client.current is None


def test_rotation_on_disk_is_picked_up(emulator, options, authority, files):
    client = Client(**options, duration_seconds=3600)
    first = client.credentials().assumed_role_arn
    certificate, key = authority.issue("client-2", kind="rsa")
    for path, content in [(files["certificate"], certificate), (files["private_key"], key)]:
        with open(path, "wb") as file:
            file.write(content)
    assert client.credentials().assumed_role_arn == first
    emulator.advance(3000)
    second = client.credentials().assumed_role_arn
    # The session is named by the certificate's serial number.
    assert second != first


def test_a_link_that_is_swapped_is_picked_up(emulator, options, authority, tmp_path):
    """As cert-manager and Kubernetes rotate: a generation is a folder, and a link names the one that
    counts. The files' own dates and sizes may be those of before."""
    for number, name in enumerate(("one", "two", "three")):
        certificate, key = authority.issue(f"client-{name}", serial=1000 + number)
        (tmp_path / name).mkdir()
        for file, content in (("client.pem", certificate), ("client.key", key)):
            (tmp_path / name / file).write_bytes(content)
            os.utime(tmp_path / name / file, (1_700_000_000, 1_700_000_000))
    data = tmp_path / "..data"
    data.symlink_to("one")
    for file in ("client.pem", "client.key"):
        (tmp_path / file).unlink(missing_ok=True)
        (tmp_path / file).symlink_to(os.path.join("..data", file))
    client = Client(**options, duration_seconds=3600)
    seen = []
    for name in ("two", "three", "one"):
        seen.append(client.credentials().assumed_role_arn)
        (tmp_path / "..new").symlink_to(name)
        (tmp_path / "..new").replace(data)
        emulator.advance(3000)
    seen.append(client.credentials().assumed_role_arn)
    # The session is named by the serial number, hexadecimal.
    assert [arn.rpartition("/")[2].lstrip("0") for arn in seen] == ["3e8", "3e9", "3ea", "3e8"]
    assert emulator.sessions() == 4


def test_files_that_are_half_rotated_are_waited_for(emulator, options, authority, files):
    client = Client(**options, duration_seconds=3600)
    client.credentials()
    certificate, key = authority.issue("client-2")
    with open(files["certificate"], "wb") as file:
        file.write(certificate)
    emulator.advance(3000)

    def finish():
        time.sleep(0.3)
        with open(files["private_key"], "wb") as file:
            file.write(key)

    writer = threading.Thread(target=finish)
    writer.start()
    before = client.current
    assert client.credentials() is not before
    writer.join()
    assert emulator.sessions() == 2


def test_files_that_went_bad_leave_the_last_identity_in_use(emulator, options, files, caplog):
    client = Client(**options, duration_seconds=3600)
    first = client.credentials()
    with open(files["private_key"], "w") as file:
        file.write("no key")
    os.utime(files["private_key"], (1, 1))
    emulator.advance(3000)
    with caplog.at_level(logging.WARNING, "rolesanywhere"):
        assert client.credentials() != first
    assert "the last identity is used on" in caplog.text


def test_a_failing_renewal_leaves_valid_credentials_in_use(emulator, options, authority, caplog):
    outages = []
    from rolesanywhere.transport import HttpTransport

    send = HttpTransport()

    def transport(request):
        if outages:
            outages.append(request)
            raise ConnectionResetError("gone")
        return send(request)

    client = Client(**options, transport=transport, duration_seconds=3600, max_attempts=1)
    first = client.credentials()
    outages.append(None)
    emulator.advance(3300)
    with caplog.at_level(logging.WARNING, "rolesanywhere"):
        assert client.credentials() is first
    assert "renewal failed" in caplog.text
    tries = len(outages)
    for _ in range(50):
        assert client.credentials() is first
    assert len(outages) == tries, "the next try waits"
    emulator.advance(301)  # past the expiration
    with pytest.raises(rolesanywhere.TransportFailedError) as caught:
        client.credentials()
    assert "gone" in str(caught.value)
    with pytest.raises(rolesanywhere.TransportFailedError) as again:
        client.credentials()
    assert again.value is not caught.value and again.value.message == caught.value.message
    outages.clear()
    emulator.advance(301)
    assert client.credentials().expires_at > emulator.clock()


def test_a_wrong_clock_is_corrected(emulator, options):
    options["clock"] = lambda: emulator.clock() + 7200
    client = Client(**options)
    credentials = client.credentials()
    for _ in range(5):
        assert client.credentials() is credentials
    assert [record["refused"] is None for record in emulator.records()] == [False, True]


def test_one_thread_renews_and_the_others_go_on(emulator, options):
    client = Client(**options, duration_seconds=3600)
    barrier, seen, failures = threading.Barrier(16), [], []

    def work():
        try:
            barrier.wait()
            for _ in range(200):
                seen.append(client.credentials().access_key_id)
        except BaseException as error:
            failures.append(error)

    for _ in range(3):
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        emulator.advance(2950)
    assert not failures
    assert emulator.sessions() == 3
    assert len(set(seen)) == 3


def test_others_do_not_wait_for_a_background_renewal(emulator, options):
    from rolesanywhere.transport import HttpTransport

    send, gate, entered = HttpTransport(), threading.Event(), threading.Event()
    gate.set()

    def transport(request):
        entered.set()
        assert gate.wait(10)
        return send(request)

    client = Client(**options, transport=transport, duration_seconds=3600)
    first = client.credentials()
    gate.clear()
    entered.clear()
    emulator.advance(2950)
    renewing = threading.Thread(target=client.credentials)
    renewing.start()
    assert entered.wait(10)
    began = time.monotonic()
    assert client.credentials() is first
    assert time.monotonic() - began < 1
    gate.set()
    renewing.join()
    assert client.credentials() is not first


def test_an_interrupted_renewal_leaves_the_client_usable(emulator, options):
    from rolesanywhere.transport import HttpTransport

    send, interruptions = HttpTransport(), [KeyboardInterrupt]

    def transport(request):
        if interruptions:
            raise interruptions.pop()
        return send(request)

    client = Client(**options, transport=transport)
    with pytest.raises(KeyboardInterrupt):
        client.credentials()
    assert client.credentials()


def test_external_signers(emulator, authority):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    rsa_key, p384 = new_key("rsa"), new_key("p384")

    def sign_rsa(message):
        return rsa_key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    async def sign_later(message):
        return sign_rsa(message)

    def sign_digest(digest):
        der = p384.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(48, "big") + s.to_bytes(48, "big")

    for key, signer in [
        (rsa_key, sign_rsa),
        (rsa_key, sign_later),
        (p384, lambda message: p384.sign(message, ec.ECDSA(hashes.SHA256()))),
        (p384, Signer(sign_digest, takes="digest", ecdsa="p1363")),
    ]:
        certificate, _ = authority.issue(key=key)
        client = Client(
            **ARNS, certificate=certificate, signer=signer, endpoint=emulator.endpoint
        )
        assert client.credentials()
    assert emulator.sessions() == 4

    # A signature by another key is found out before anything is sent.
    certificate, _ = authority.issue(key=new_key("rsa"))
    client = Client(**ARNS, certificate=certificate, signer=sign_rsa, endpoint=emulator.endpoint)
    with pytest.raises(rolesanywhere.KeyMismatchError):
        client.credentials()
    assert emulator.calls() == 4


def test_an_identity_provider_is_asked_at_every_renewal(emulator, options, authority):
    asked = []
    certificate, key = authority.issue()

    async def provider():
        asked.append(None)
        return Identity(certificate, key)

    for name in ("certificate", "private_key"):
        del options[name]
    client = Client(**options, identity=provider, duration_seconds=3600)
    client.credentials()
    client.credentials()
    emulator.advance(3000)
    client.credentials()
    assert len(asked) == 2


def test_tls_with_a_ca_bundle(new_emulator, tmp_path, files):
    emulator = new_emulator("tls", tls=True)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(emulator.ca_pem)
    client = Client(**ARNS, **files, endpoint=emulator.endpoint, ca_bundle=bundle)
    assert client.credentials()
    distrusting = Client(**ARNS, **files, endpoint=emulator.endpoint, max_attempts=1)
    with pytest.raises(rolesanywhere.TransportFailedError, match="certificate verify failed"):
        distrusting.credentials()


def test_a_proxy_of_the_environment_is_used(monkeypatch, files):
    with server(lambda *_: (503, {}, b"{}")) as (proxy, requests):
        monkeypatch.setenv("http_proxy", proxy.replace("http://", "http://us%40er:pass@"))
        client = Client(**ARNS, **files, endpoint="http://nowhere.localhost:8080", max_attempts=1)
        with pytest.raises(rolesanywhere.ServiceUnavailableError):
            client.credentials()
        path, headers, _ = requests[0]
        assert path.startswith("http://nowhere.localhost:8080/sessions?")
        assert headers["proxy-authorization"] == "Basic dXNAZXI6cGFzcw=="
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        direct = Client(**ARNS, **files, endpoint=proxy, max_attempts=1)
        with pytest.raises(rolesanywhere.ServiceUnavailableError):
            direct.credentials()
        assert requests[1][0].startswith("/sessions?")


def test_retries_and_what_the_service_asks_for(files):
    answers = [
        (429, {}, b'{"message":"Rate exceeded"}'),
        (503, {}, b'{"message":"busy","retryAfterSeconds":1}'),
        (500, {}, b"<html>"),
    ]
    remaining = list(answers)
    with server(lambda *_: remaining.pop(0)) as (url, requests):
        client = Client(**ARNS, **files, endpoint=url)
        began = time.monotonic()
        with pytest.raises(rolesanywhere.ServiceUnavailableError) as caught:
            client.credentials()
    assert len(requests) == 3
    assert caught.value.status == 500
    assert time.monotonic() - began >= 1
    dates = [headers["x-amz-date"] for _, headers, _ in requests]
    assert dates[-1] > dates[0], "every attempt is signed anew"


def test_secrets_are_in_no_repr_and_no_log(options, caplog):
    caplog.set_level(logging.DEBUG)
    client = Client(**options)
    credentials = client.credentials()
    shown = [repr(credentials), str(credentials), repr(client), repr(client._life), caplog.text]
    shown += [repr(client.create_session()), f"{credentials!s} {credentials!r}"]
    for secret in (credentials.secret_access_key, credentials.session_token):
        assert not any(secret in text for text in shown)
    assert credentials.access_key_id in repr(credentials)


def test_credentials_are_values(options):
    import copy
    import json
    import pickle

    credentials = Client(**options).credentials()
    assert copy.copy(credentials) == credentials
    assert pickle.loads(pickle.dumps(credentials)) == credentials
    assert len({credentials, copy.copy(credentials)}) == 1
    with pytest.raises(AttributeError):
        credentials.access_key_id = "x"
    with pytest.raises(AttributeError):
        del credentials.access_key_id
    document = json.loads(credentials.credential_process_json())
    assert document["Version"] == 1
    assert document["SecretAccessKey"] == credentials.secret_access_key
    assert datetime.datetime.strptime(document["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(
        tzinfo=datetime.timezone.utc
    ) == credentials.expiration


def test_importing_loads_nothing_else():
    program = (
        "import sys; before = set(sys.modules); import rolesanywhere; "
        "print(*(set(sys.modules) - before)); rolesanywhere.Client; rolesanywhere.errors; "
        "print(*(set(sys.modules) - before))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert set(output[0].split()) == {"__future__", "rolesanywhere"}
    loaded = {name.partition(".")[0] for name in output[1].split()}
    assert not loaded & {"boto3", "botocore", "http", "ssl", "asyncio", "urllib", "requests", "typing"}


def test_one_private_key_is_enough_for_its_certificate(authority):
    certificate, _ = authority.issue()
    with pytest.raises(rolesanywhere.KeyMismatchError, match="does not belong"):
        Client(**ARNS, certificate=certificate, private_key=key_pem(new_key("p256")))
