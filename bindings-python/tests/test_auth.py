"""Signing for requests and httpx: the emulator's STS verifies, botocore's own signer agrees."""

import datetime
import hashlib
import re
from urllib.parse import parse_qs

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import httpx
import pytest
import requests
import rolesanywhere
from rolesanywhere import AsyncClient, Client, Credentials
from rolesanywhere.auth import RequestsAuth, httpx_auth
from rolesanywhere.sigv4 import RequestSigner
from support import ACCOUNT, REGION, server

FORM = "Action=GetCallerIdentity&Version=2011-06-15"
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
NOW = 1_780_000_000
CREDENTIALS = Credentials("ASIAEXAMPLE", "se/cr+et", "tok/en+==", NOW + 3600)


def test_requests(emulator, options):
    auth = RequestsAuth(Client(**options), "sts")
    for call in (
        lambda session: session.post(emulator.endpoint + "/", data=FORM, headers=FORM_TYPE),
        lambda session: session.get(f"{emulator.endpoint}/?{FORM}"),
    ):
        with requests.Session() as session:
            session.auth = auth
            answer = call(session)
            assert answer.status_code == 200, answer.text
            assert f"<Account>{ACCOUNT}</Account>" in answer.text
    assert emulator.sessions() == 1


def test_presigned_urls_are_answered(emulator, options):
    client = Client(**options)
    signer = RequestSigner("sts", client.region, clock=emulator.clock)
    url = signer.presign(client.credentials(), "GET", f"{emulator.endpoint}/?{FORM}", expires_seconds=60)
    assert f"<Account>{ACCOUNT}</Account>" in requests.get(url, timeout=30).text
    longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")
    assert requests.get(longer, timeout=30).status_code == 403


def test_a_space_in_a_query_is_sent_as_it_is_signed(emulator, options):
    # Both libraries write a space as `+`, which the signature would read as a plus.
    words = {"Action": "GetCallerIdentity", "Version": "2011-06-15", "x": "a b+c"}
    client = Client(**options)
    answer = requests.get(f"{emulator.endpoint}/", params=words, auth=RequestsAuth(client, "sts"), timeout=30)
    assert answer.status_code == 200 and "x=a%20b%2Bc" in answer.request.url
    with httpx.Client(auth=httpx_auth(client, "sts")) as http:
        answer = http.get(f"{emulator.endpoint}/", params=words)
        assert answer.status_code == 200 and "x=a%20b%2Bc" in str(answer.request.url)


def test_httpx(emulator, options):
    with httpx.Client(auth=httpx_auth(Client(**options), "sts")) as client:
        answer = client.post(emulator.endpoint + "/", content=FORM, headers=FORM_TYPE)
        assert f"<Account>{ACCOUNT}</Account>" in answer.text
        answer = client.get(f"{emulator.endpoint}/", params=dict(Action="GetCallerIdentity", Version="2011-06-15"))
        assert f"<Account>{ACCOUNT}</Account>" in answer.text


async def test_httpx_asynchronously(emulator, options):
    async with httpx.AsyncClient(auth=httpx_auth(AsyncClient(**options), "sts")) as client:
        answer = await client.post(emulator.endpoint + "/", content=FORM, headers=FORM_TYPE)
        assert f"<Account>{ACCOUNT}</Account>" in answer.text
    async with httpx.AsyncClient(auth=httpx_auth(Client(**options), "sts")) as client:
        with pytest.raises(rolesanywhere.InvalidInputError, match="AsyncClient"):
            await client.get(emulator.endpoint)
    with httpx.Client(auth=httpx_auth(AsyncClient(**options), "sts")) as client:
        with pytest.raises(rolesanywhere.InvalidInputError, match="pass a Client"):
            client.get(emulator.endpoint)


def test_bodies_of_every_sort(options):
    with server(lambda *_: (200, {}, b"")) as (url, received):
        auth = RequestsAuth(Client(**options), "s3")
        for body, expected in (
            (b"bytes", b"bytes"),
            ("text: ü", "text: ü".encode()),
            (None, b""),
            (iter([b"a", b"stream"]), None),
        ):
            requests.post(url + "/b/k", data=body, auth=auth)
            hashed = received[-1][1]["x-amz-content-sha256"]
            assert hashed == (
                "UNSIGNED-PAYLOAD" if expected is None else hashlib.sha256(expected).hexdigest()
            )
        with pytest.raises(rolesanywhere.InvalidInputError, match="streamed"):
            requests.post(url, data=iter([b"a"]), auth=RequestsAuth(Client(**options), "sts"))

        def content():
            yield b"a stream"

        with httpx.Client(auth=httpx_auth(Client(**options), "s3")) as client:
            client.put(url + "/b/k", content=content())
            assert received[-1][1]["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
            client.put(url + "/b/k", content=b"whole")
            assert received[-1][1]["x-amz-content-sha256"] == hashlib.sha256(b"whole").hexdigest()


URLS = [
    "https://example.com",
    "https://example.com/",
    "https://example.com/a%20b/%C3%BC?z=1&a=%20&a=&b",
    "https://example.com:8443/x//y/../z",
    "https://EXAMPLE.com:443/%2F",
]


def at_now(monkeypatch):
    """botocore's credentials, at the moment that the tests sign at."""
    moment = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: moment)
    return botocore.credentials.Credentials(
        CREDENTIALS.access_key_id, CREDENTIALS.secret_access_key, CREDENTIALS.session_token
    )


def by_botocore(kind, service, url, body, monkeypatch):
    request = botocore.awsrequest.AWSRequest("POST", url, {"x-amz-meta-a": "1"}, data=body)
    kind(at_now(monkeypatch), service, REGION).add_auth(request)
    return request.headers["Authorization"]


def presigned_by_botocore(kind, service, url, monkeypatch):
    request = botocore.awsrequest.AWSRequest("GET", url)
    kind(at_now(monkeypatch), service, REGION, expires=60).add_auth(request)
    return request.url


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("body", [b"", b"content"])
@pytest.mark.parametrize(
    ("service", "kind"),
    [("execute-api", botocore.auth.SigV4Auth), ("s3", botocore.auth.S3SigV4Auth)],
)
def test_signatures_are_botocores(url, body, service, kind, monkeypatch):
    signed = dict(
        RequestSigner(service, REGION, clock=lambda: NOW).sign(
            CREDENTIALS, "POST", url, [("x-amz-meta-a", "1")], body
        )
    )
    if service == "s3" and url == URLS[0]:
        url += "/"  # botocore signs an empty path for S3, which no HTTP library sends
    expected = by_botocore(kind, service, url, body, monkeypatch)
    authorization = next(v for k, v in signed.items() if k.lower() == "authorization")
    pattern = r"SignedHeaders=(\S+), Signature=(\w+)"
    assert re.search(pattern, authorization).groups() == re.search(pattern, expected).groups()


@pytest.mark.parametrize(
    ("service", "kind"),
    [("sts", botocore.auth.SigV4QueryAuth), ("s3", botocore.auth.S3SigV4QueryAuth)],
)
def test_presigned_urls_are_botocores(service, kind, monkeypatch):
    url = f"https://example.com/a%20b/?{FORM}"
    signer = RequestSigner(service, REGION, clock=lambda: NOW)
    ours = signer.presign(CREDENTIALS, "GET", url, expires_seconds=60)
    theirs = presigned_by_botocore(kind, service, url, monkeypatch)
    assert ours.partition("?")[0] == theirs.partition("?")[0]
    assert parse_qs(ours.partition("?")[2]) == parse_qs(theirs.partition("?")[2])
    for again in (ours, url):
        with pytest.raises(rolesanywhere.InvalidInputError):
            signer.presign(CREDENTIALS, "GET", again, expires_seconds=604_801)


def test_the_signing_key_changes_with_day_and_credentials():
    clock = [NOW]
    signer = RequestSigner("sts", REGION, clock=lambda: clock[0])

    def scope(credentials=CREDENTIALS):
        signed = dict(signer.sign(credentials, "GET", "https://example.com/", [], b""))
        return re.search(r"Credential=([^,]+)", signed["Authorization"]).group(1)

    first = scope()
    assert scope() == first
    clock[0] += 86400
    assert scope() != first
    other = Credentials("ASIAOTHER", "s", "t", NOW)
    assert scope(other).startswith("ASIAOTHER/")


def test_reprs_hold_no_secret(options):
    client = Client(**options)
    held = client.credentials()
    for auth in (RequestsAuth(client, "s3"), httpx_auth(client, "s3"), RequestSigner("s3", "x")):
        assert held.secret_access_key not in repr(auth)
