"""Every kind of error, from a cause that is real; and what errors carry."""

import json
import multiprocessing
import pickle

import pytest
import rolesanywhere
from rolesanywhere import Client, Identity, _native, errors
from support import ARNS, VECTORS, key_pem, new_key, server

KINDS = json.loads((VECTORS / "errors.json").read_text())


def test_every_code_has_a_class_of_its_own():
    classes = {}
    for name in dir(errors):
        value = getattr(errors, name)
        if isinstance(value, type) and issubclass(value, errors.RolesAnywhereError):
            classes.setdefault(value.code, []).append(value)
    assert classes.pop("unknown") == [errors.RolesAnywhereError]
    assert {code: kinds[0].retryable for code, kinds in classes.items()} == {
        kind["code"]: kind["retryable"] for kind in KINDS
    }
    assert all(len(kinds) == 1 for kinds in classes.values())
    assert dict(_native.Failure.kinds()) == {kind["code"]: kind["retryable"] for kind in KINDS}
    assert {kinds[0].__name__ for kinds in classes.values()} <= set(rolesanywhere.__all__)


def answered(files, status, headers, body, **options):
    with server(lambda *_: (status, headers, body)) as (url, _):
        Client(**ARNS, **files, endpoint=url, max_attempts=1, **options).credentials()


def no_answer(files, authority, emulator):
    with server(lambda *_: None) as (url, _):
        Client(**ARNS, **files, endpoint=url, max_attempts=1).credentials()


def refuse_to_sign(message):
    raise RuntimeError("the token was pulled out")


CAUSES = {
    "access_denied": lambda files, authority, emulator: Client(
        **{**ARNS, "role_arn": ARNS["role_arn"].replace("role/app", "role/other")},
        **files,
        endpoint=emulator.endpoint,
    ).credentials(),
    "invalid_certificate": lambda files, authority, emulator: Identity(b"-----BEGIN nothing"),
    "invalid_input": lambda files, authority, emulator: Client(
        **{**ARNS, "role_arn": "arn:nonsense"}, **files
    ),
    "invalid_key": lambda files, authority, emulator: Identity(files["certificate"], b"no key"),
    "invalid_response": lambda files, authority, emulator: answered(
        files, 200, {}, b"<html>welcome to the hotel</html>"
    ),
    "key_mismatch": lambda files, authority, emulator: Identity(
        files["certificate"], key_pem(new_key("p256"))
    ),
    "password_required": lambda files, authority, emulator: Identity(
        files["certificate"], key_pem(new_key("p256"), b"open sesame")
    ),
    "request_rejected": lambda files, authority, emulator: Client(
        **ARNS,
        **files,
        endpoint=emulator.endpoint + "/elsewhere",
    ).credentials(),
    "service_unavailable": lambda files, authority, emulator: answered(files, 500, {}, b""),
    "signing_failed": lambda files, authority, emulator: Client(
        **ARNS,
        certificate=files["certificate"],
        signer=refuse_to_sign,
        endpoint=emulator.endpoint,
    ).credentials(),
    "throttled": lambda files, authority, emulator: answered(files, 429, {}, b""),
    "transport_failed": no_answer,
    "unsupported": lambda files, authority, emulator: Identity(
        files["certificate"], key_pem(new_key("ed25519"))
    ),
    "wrong_password": lambda files, authority, emulator: Identity(
        files["certificate"], key_pem(new_key("p256"), b"open sesame"), password="open barley"
    ),
}


def test_every_code_has_a_cause():
    assert sorted(CAUSES) == sorted(kind["code"] for kind in KINDS)


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_kind_of_error(code, files, authority, emulator):
    with pytest.raises(errors.RolesAnywhereError) as caught:
        CAUSES[code](files, authority, emulator)
    error = caught.value
    assert error.code == code
    assert type(error) is not errors.RolesAnywhereError
    assert str(error) == error.message and error.message[:1].islower() or error.message[:1] == "`"
    assert not error.message.endswith(".")


def test_what_the_service_says_is_carried(files):
    headers = {"x-amzn-RequestId": "11-22", "x-amzn-ErrorType": "AccessDeniedException:http://x/"}
    body = b'{"message":"Untrusted certificate. Insufficient certificate"}'
    with pytest.raises(errors.AccessDeniedError) as caught:
        answered(files, 403, headers, body)
    error = caught.value
    assert error.status == 403
    assert error.service_code == "AccessDeniedException"
    assert error.service_message == "Untrusted certificate. Insufficient certificate"
    assert error.request_id == "11-22"
    assert abs(error.server_time - __import__("time").time()) < 60
    with pytest.raises(errors.ServiceUnavailableError) as caught:
        answered(files, 503, {}, b'{"message":"busy","retryAfterSeconds":7}')
    assert caught.value.retry_after == 7


def test_the_cause_is_kept(files, emulator):
    client = Client(
        **ARNS, certificate=files["certificate"], signer=refuse_to_sign, endpoint=emulator.endpoint
    )
    with pytest.raises(errors.SigningFailedError, match="the token was pulled out") as caught:
        client.credentials()
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(errors.InvalidInputError, match="No such file") as caught:
        Identity("/nowhere/client.pem", "/nowhere/client.key")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert isinstance(caught.value, ValueError)


def raise_in_worker(endpoint, certificate):
    Client(
        **{**ARNS, "role_arn": ARNS["role_arn"].replace("role/app", "role/other")},
        certificate=certificate,
        endpoint=endpoint,
    ).credentials()


def test_errors_travel_between_processes(emulator, authority, tmp_path):
    certificate, key = authority.issue()
    path = tmp_path / "both.pem"
    path.write_bytes(certificate + key)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with pytest.raises(errors.AccessDeniedError) as caught:
            pool.apply(raise_in_worker, (emulator.endpoint, str(path)))
    assert caught.value.status == 403 and caught.value.request_id
    again = pickle.loads(pickle.dumps(caught.value))
    assert vars(again) == vars(caught.value) and again.args == caught.value.args


def test_no_error_repeats_a_secret(files):
    secret = "wJalrXUtnFEMI/K7MDENG"
    for body in (
        b'{"credentialSet":[{"credentials":{"secretAccessKey":"%s"}}]}' % secret.encode(),
        b'{"secretAccessKey":"%s' % secret.encode(),
    ):
        with pytest.raises(errors.InvalidResponseError) as caught:
            answered(files, 201, {}, body)
        assert secret not in str(caught.value)


def test_encrypted_keys_open_with_their_password(authority):
    for kind in ("rsa", "p384"):
        key = new_key(kind)
        certificate, _ = authority.issue(key=key)
        asked = []

        def ask(asked=asked):
            asked.append(None)
            return "open sesame"

        for password in ("open sesame", b"open sesame", ask):
            Identity(certificate, key_pem(key, b"open sesame"), password=password)
        assert len(asked) == 1
        Identity(certificate, key_pem(key), password=ask)
        assert len(asked) == 1, "a key that is not encrypted needs no password"


def test_arguments_that_contradict_each_other(files, authority):
    certificate, key = authority.issue()
    identity = Identity(certificate, key)
    for options in (
        {"identity": identity, "certificate": certificate},
        {},
        {"certificate": certificate, "private_key": key, "signer": refuse_to_sign},
        {**files, "max_attempts": 0},
        {**files, "transport": print, "ca_bundle": "x.pem"},
        {**files, "fips": True, "endpoint": "https://example.com"},
        {**files, "region": "us-east-1"},
        {**files, "duration_seconds": 899},
        {**files, "duration_seconds": -1},
        {**files, "role_session_name": "a b"},
        {**files, "arn_placement": "header"},
        {**files, "instance_properties": {"": "x"}},
    ):
        with pytest.raises(errors.InvalidInputError):
            Client(**ARNS, **options)


def test_messages_hold_nothing_that_acts_or_is_not_seen():
    error = rolesanywhere.TransportFailedError("HTTP/1.1 \x1b[31m\r\n\x00\u202e\u200bé ok")
    assert str(error) == error.message == "HTTP/1.1 \\u{1b}[31m  \\u{0}\\u{202e}\\u{200b}é ok"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert len(str(rolesanywhere.TransportFailedError("\0" * 100_000))) <= 4097
