"""Every vector of `tests/vectors`."""

import datetime
import hashlib
import json
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from rolesanywhere import RolesAnywhereError, _native
from support import ACCOUNT, REGION, VECTORS, new_key

CASES = sorted(path for path in (VECTORS / "create-session").iterdir() if path.is_dir())
HOSTS = json.loads((VECTORS / "hosts.json").read_text())["hosts"]
REQUESTS = json.loads((VECTORS / "signed-requests.json").read_text())
ENDPOINTS = json.loads((VECTORS / "endpoints.json").read_text())["endpoints"]


def call(context):
    return _native.CreateSession(
        context["trust_anchor_arn"],
        context["profile_arn"],
        context["role_arn"],
        endpoint=context["endpoint"],
        region=context["region"],
        duration_seconds=context.get("duration_seconds"),
        arn_placement=context["arns"],
    )


def unix_basic(text):
    parsed = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    return int(parsed.replace(tzinfo=datetime.timezone.utc).timestamp())


def unix(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_create_session(case):
    read = lambda name: (case / name).read_bytes().decode()  # noqa: E731
    assert CASES
    context, wire = json.loads(read("context.json")), json.loads(read("request.json"))
    authorization = read("authorization.txt")
    more = (case / "chain.pem").read_bytes() if (case / "chain.pem").exists() else None
    chain = _native.CertificateChain.read((case / "certificate.pem").read_bytes(), more)
    assert chain.end_entity.serial_decimal == context["serial_number"]
    unsigned = call(context).prepare(chain, unix(context["time"]))

    # 1: the canonical request of ours, with the headers of the case that this face does not send.
    signed = re.search(r"SignedHeaders=([^,]+)", authorization).group(1).split(";")
    lines = unsigned.canonical_request.split("\n")
    method, path, query, payload = *lines[:3], lines[-1]
    headers = dict(line.split(":", 1) for line in lines[3:-3])
    assert set(headers) <= set(signed)
    arrived = {name.lower(): " ".join(value.split()) for name, value in wire["headers"]}
    headers = {name: headers.get(name, arrived[name]) for name in signed}
    canonical = "\n".join(
        [method, path, query, *(f"{name}:{headers[name]}" for name in sorted(headers)), ""]
        + [";".join(sorted(headers)), payload]
    )
    assert canonical == read("canonical-request.txt")
    assert payload == hashlib.sha256(wire["body"].encode()).hexdigest()

    # 2: the string to sign, made of it.
    algorithm, date, scope, _ = unsigned.string_to_sign.decode().split("\n")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    assert "\n".join([algorithm, date, scope, digest]) == read("string-to-sign.txt")
    serial = context["serial_number"]
    assert authorization.startswith(f"{algorithm} Credential={serial}/{scope}, ")

    # 3: the recorded signature is valid under the certificate, by a library that is not ours.
    signature = bytes.fromhex(re.search(r"Signature=(\w+)", authorization).group(1))
    public = x509.load_pem_x509_certificate((case / "certificate.pem").read_bytes()).public_key()
    message = (case / "string-to-sign.txt").read_bytes()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    else:
        pytest.fail("add this kind of key to the runner")


def test_endpoints():
    assert len(ENDPOINTS) > 100
    for entry in ENDPOINTS:
        partition = entry["partition"]
        arn = f"arn:{partition}:rolesanywhere:{entry['signing_region']}:{ACCOUNT}"
        made = _native.CreateSession(
            f"{arn}:trust-anchor/11111111-1111-4111-8111-111111111111",
            f"{arn}:profile/22222222-2222-4222-8222-222222222222",
            f"arn:{partition}:iam::{ACCOUNT}:role/r",
            region=entry["region"],
            fips=entry["fips"],
            dual_stack=entry["dual_stack"],
        )
        assert (made.endpoint_url, made.region, made.partition) == (
            entry["url"],
            entry["signing_region"],
            partition,
        ), entry


@pytest.mark.parametrize("number", range(len(REQUESTS["requests"])))
def test_signed_requests(number):
    case = REQUESTS["requests"][number]
    key = _native.SigningKey(
        REQUESTS["access_key_id"],
        REQUESTS["secret_access_key"],
        case.get("session_token"),
        unix_basic(case["time"]),
        case["region"],
        case["service"],
        case["session_token_kind"] == "s3express",
    )
    parts = (case["method"], case["path"], case["query"], [tuple(h) for h in case["headers"]])
    now = unix_basic(case["time"])
    content = None if case["payload"] == "unsigned" else case["body"].encode()
    if case["form"] == "header":
        signed = dict(key.sign_headers(*parts, content, now))
        assert signed["Authorization"] == case["authorization"]
    else:
        # The default of the service.
        presigned = key.presign(*parts, None, now, case["expires"])
        assert presigned.rpartition("X-Amz-Signature=")[2] == case["signature"]


def test_hosts():
    assert len(HOSTS) > 3000
    for host, service, region in HOSTS:
        assert _native.host_scope(host) == (service, region), host


def test_signatures_are_taken_in_the_form_that_is_named(authority):
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    key = new_key("p256")
    certificate, _ = authority.issue(key=key)
    chain = _native.CertificateChain.read(certificate)
    arn = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}"
    unsigned = _native.CreateSession(
        f"{arn}:trust-anchor/11111111-1111-4111-8111-111111111111",
        f"{arn}:profile/22222222-2222-4222-8222-222222222222",
        f"arn:aws:iam::{ACCOUNT}:role/r",
    ).prepare(chain, 1_780_000_000)
    der = key.sign(unsigned.string_to_sign, ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    by_der = unsigned.with_signature(_native.Signature.ecdsa_der(der))
    by_raw = unsigned.with_signature(_native.Signature.ecdsa_p1363(raw))
    assert by_der.headers == by_raw.headers
    for make, value in (
        (_native.Signature.ecdsa_der, raw),
        (_native.Signature.ecdsa_p1363, der),
        (_native.Signature.rsa_pkcs1, der),
        (_native.Signature.mldsa, der),
    ):
        with pytest.raises(RolesAnywhereError) as caught:
            make(value)
        assert caught.value.code == "signing_failed"
    with pytest.raises(RolesAnywhereError) as caught:
        unsigned.with_signature(_native.Signature.rsa_pkcs1(bytes(256)))
    assert caught.value.code == "key_mismatch"
