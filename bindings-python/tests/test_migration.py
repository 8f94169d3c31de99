"""The adapter for users of iam-rolesanywhere-session, beside that package itself."""

import inspect
import json
import re
import warnings

import boto3
import botocore.awsrequest
import botocore.httpsession
import pytest
import rolesanywhere
from rolesanywhere.iam_rolesanywhere_session import (
    IAMRolesAnywhereError,
    IAMRolesAnywhereSession,
    IAMRolesAnywhereSigner,
    InvalidSessionDurationError,
)
from support import ACCOUNT, PROFILE, REGION, ROLE, TRUST_ANCHOR, Authority

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import iam_rolesanywhere_session as peer


def arguments(files):
    return (PROFILE, ROLE, TRUST_ANCHOR, files["certificate"], files["private_key"])


def test_the_parameters_are_the_same_and_in_order():
    ours = inspect.signature(IAMRolesAnywhereSession).parameters
    theirs = inspect.signature(peer.IAMRolesAnywhereSession).parameters
    assert list(ours) == list(theirs)
    defaults = {
        name: (ours[name].default, theirs[name].default)
        for name in ours
        if ours[name].default != theirs[name].default
    }
    # The peer assumes us-east-1 whatever the ARN says.
    assert defaults == {"region": (None, "us-east-1")}


def test_every_name_of_the_peers_is_here():
    from rolesanywhere import iam_rolesanywhere_session as ours

    assert set(peer.__all__) <= set(ours.__all__)
    assert all(hasattr(ours, name) for name in peer.__all__)
    theirs = inspect.signature(peer.IAMRolesAnywhereSigner).parameters
    mine = inspect.signature(IAMRolesAnywhereSigner).parameters
    assert [(name, p.default) for name, p in mine.items()] == [
        (name, p.default) for name, p in theirs.items()
    ]
    assert (ours.MIN_SESSION_DURATION, ours.MAX_SESSION_DURATION) == (
        peer.MIN_SESSION_DURATION,
        peer.MAX_SESSION_DURATION,
    )
    for name in ("ProxyConfig", "AdditionalProxyConfig", "IAMCredentials"):
        assert getattr(ours, name).__annotations__.keys() == getattr(peer, name).__annotations__.keys()


def signed(signer, emulator, body=None, headers=None):
    request = botocore.awsrequest.AWSRequest(
        "POST",
        emulator.endpoint + "/sessions",
        {"Content-Type": "application/json", **(headers or {})},
        json.dumps({"trustAnchorArn": TRUST_ANCHOR, "profileArn": PROFILE, "roleArn": ROLE})
        if body is None
        else body,
    )
    signer.add_auth(request)
    return request


def send(request):
    return botocore.httpsession.URLLib3Session().send(request.prepare())


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "mldsa65"])
def test_the_signer_signs_what_the_service_takes(emulator, authority, kind):
    certificate, key = authority.issue(kind=kind)
    signer = IAMRolesAnywhereSigner(certificate, key, region=REGION)
    request = signed(signer, emulator)
    answer = send(request)
    assert answer.status_code == 201, answer.text
    assert emulator.records()[-1]["nonconformance"] == []
    expected = {"rsa": "RSA", "p256": "ECDSA", "p384": "ECDSA", "mldsa65": "MLDSA"}[kind]
    assert signer.private_key_type == expected
    assert request.headers["Authorization"].startswith(f"{signer.algorithm} Credential=")
    # Signed again, its headers are replaced, not added to.
    signer.add_auth(request)
    assert len(request.headers.get_all("Authorization")) == 1
    assert send(request).status_code == 201
    # What was signed is what counts.
    request.data = request.data.replace(b"{", b"{ ") if isinstance(request.data, bytes) else request.data + " "
    assert send(request).status_code == 403


def test_the_signer_sends_the_intermediates(emulator, authority):
    middle = Authority("Intermediate", parent=authority)
    certificate, key = middle.issue()
    signer = IAMRolesAnywhereSigner(certificate + middle.pem, key, region=REGION)
    assert len(signer.certificate_chain) == 1
    assert send(signed(signer, emulator)).status_code == 201
    alone = IAMRolesAnywhereSigner(certificate, key, region=REGION)
    assert alone.certificate_chain is None
    refused = signed(alone, emulator, headers={"X-Amz-X509-Chain": "left from before"})
    assert "X-Amz-X509-Chain" not in refused.headers
    assert send(refused).status_code == 403


def test_the_signer_agrees_with_the_peers(authority, monkeypatch):
    """RSA signatures are deterministic: for the same request and time the two must be one."""
    certificate, key = authority.issue(kind="rsa")
    arguments = (certificate, key, None, None, REGION)
    theirs, ours = peer.IAMRolesAnywhereSigner(*arguments), IAMRolesAnywhereSigner(*arguments)
    assert (theirs.algorithm, theirs.private_key_type) == (ours.algorithm, ours.private_key_type)
    request = botocore.awsrequest.AWSRequest("POST", "https://example.com/sessions", {"A": "b"}, "{}")
    theirs.add_auth(request)
    given = request.headers["Authorization"]
    signature = given.rpartition("Signature=")[2]
    canonical = theirs.canonical_request(request)
    assert canonical == ours.canonical_request(request)
    string_to_sign = theirs.string_to_sign(request, canonical)
    assert ours.string_to_sign(request, canonical) == string_to_sign
    assert ours.scope(request) == theirs.scope(request)
    # Their `Authorization` header was part of neither.
    assert ours.signature(string_to_sign) == theirs.signature(string_to_sign)
    assert re.fullmatch("[0-9a-f]{512}", signature)


def test_errors_have_the_status_under_its_old_name(files, emulator):
    made = IAMRolesAnywhereSession(
        PROFILE, ROLE.replace("role/app", "role/other"), TRUST_ANCHOR,
        files["certificate"], files["private_key"], endpoint=emulator.endpoint,
    )  # fmt: skip
    with pytest.raises(IAMRolesAnywhereError) as caught:
        made.get_refreshable_credentials().get_frozen_credentials()
    assert caught.value.status_code == 403 and caught.value.message


def test_sessions_and_credentials(emulator, files):
    made = IAMRolesAnywhereSession(*arguments(files), endpoint=emulator.endpoint)
    session = made.get_session(region=REGION)
    assert isinstance(session, boto3.session.Session)
    sts = session.client("sts", endpoint_url=emulator.endpoint)
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    credentials = made.get_refreshable_credentials()
    assert credentials.get_frozen_credentials().access_key
    assert emulator.sessions() == 1
    assert made.region_name == REGION and made.endpoint == emulator.endpoint


def test_a_bare_host_means_https(files):
    made = IAMRolesAnywhereSession(*arguments(files), endpoint="vpce-1.example.com:8443")
    assert made.endpoint == "https://vpce-1.example.com:8443"


def test_tls_as_the_peer_takes_it(new_emulator, files, tmp_path):
    emulator = new_emulator("tls", tls=True)
    host = emulator.endpoint.removeprefix("https://")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(emulator.ca_pem)
    for verify in (str(bundle), False):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # urllib3 warns of the connection that is not verified
            made = IAMRolesAnywhereSession(*arguments(files), endpoint=host, verify=verify)
            sts = made.get_session().client("sts", endpoint_url=emulator.endpoint)
            assert sts.get_caller_identity()["Account"] == ACCOUNT
    strict = IAMRolesAnywhereSession(*arguments(files), endpoint=host)
    with pytest.raises(rolesanywhere.TransportFailedError):
        strict.get_refreshable_credentials().get_frozen_credentials()


def test_the_peer_gets_credentials_from_the_same_emulator(new_emulator, files, tmp_path, authority):
    """So that a difference between the two is ours to explain."""
    emulator = new_emulator("tls", tls=True)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(emulator.ca_pem)
    made = peer.IAMRolesAnywhereSession(
        *arguments(files),
        region=REGION,
        endpoint=emulator.endpoint.removeprefix("https://"),
        verify=str(bundle),
    )
    assert made.get_refreshable_credentials().get_frozen_credentials().access_key


def test_what_it_refuses(files, authority):
    with pytest.raises(InvalidSessionDurationError):
        IAMRolesAnywhereSession(*arguments(files), session_duration=899)
    with pytest.raises(IAMRolesAnywhereError):
        IAMRolesAnywhereSession(*arguments(files), region="us-east-1")
    _, other = authority.issue()
    with pytest.raises(rolesanywhere.KeyMismatchError):
        IAMRolesAnywhereSession(PROFILE, ROLE, TRUST_ANCHOR, files["certificate"], other)
    with pytest.raises(rolesanywhere.InvalidInputError):
        IAMRolesAnywhereSession(*arguments(files), service_name="other")


def test_the_shortest_duration_is_not_renewed_at_every_use(emulator, files):
    made = IAMRolesAnywhereSession(
        *arguments(files), session_duration=900, endpoint=emulator.endpoint
    )
    session = made.get_session()
    for _ in range(20):
        session.get_credentials().get_frozen_credentials()
    assert emulator.sessions() == 1
