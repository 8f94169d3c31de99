"""The test API: clock, faults, audit log, reset; and what unmodified clients make of the faults."""

import email.utils
import json
import socket
import ssl
import time

import botocore.exceptions
import pytest

from support import Emulator, refused


@pytest.fixture
def clean(emulator):
    assert emulator.test_api("POST", "reset")[0] == 200
    yield emulator
    assert emulator.test_api("POST", "reset")[0] == 200


def inject(emulator, effect, count=1, operation="ListProfiles"):
    fault = {"operation": operation, "count": count, "effect": effect}
    status, answer = emulator.test_api("POST", "faults", fault)
    assert status == 200, answer


def test_the_clock(clean, rolesanywhere):
    status, clock = clean.test_api("PUT", "clock", {"time": 1_900_000_000, "frozen": True})
    assert (status, clock["time"]) == (200, 1_900_000_000)
    _, clock = clean.test_api("POST", "clock/advance", {"seconds": 90})
    assert clock["time"] == 1_900_000_090
    profile = rolesanywhere.create_profile(name="later", roleArns=[])["profile"]
    assert int(profile["createdAt"].timestamp()) == 1_900_000_090
    _, clock = clean.test_api("DELETE", "clock")
    assert abs(clock["time"] - time.time()) < 5
    _, clock = clean.test_api("POST", "clock/advance", {"seconds": -3600})
    assert abs(clock["time"] + 3600 - time.time()) < 5
    assert clean.test_api("PUT", "clock", {"tmie": 1})[0] == 400


def test_reset(clean, rolesanywhere):
    rolesanywhere.create_profile(name="gone", roleArns=[])
    inject(clean, {"kind": "server_error"})
    clean.test_api("POST", "reset")
    assert rolesanywhere.list_profiles()["profiles"] == []
    assert clean.test_api("GET", "faults")[1] == {"faults": []}


def test_the_audit_log(clean, rolesanywhere):
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.get_profile(profileId="00000000-0000-4000-8000-000000000000")
    rolesanywhere.list_profiles()
    records = clean.test_api("GET", "audit")[1]["records"]
    assert [record["operation"] for record in records] == ["GetProfile", "ListProfiles"]
    assert records[0]["outcome"]["fault"] == "ResourceNotFound"
    assert records[1]["outcome"]["kind"] == "succeeded"
    events = clean.test_api("GET", "cloudtrail")[1]["Records"]
    assert [event["eventName"] for event in events] == ["GetProfile", "ListProfiles"]
    assert events[0]["errorCode"] == "ResourceNotFoundException"
    assert events[0]["requestParameters"] == {"profileId": "00000000-0000-4000-8000-000000000000"}
    assert events[1]["readOnly"] and events[1]["responseElements"] is None
    made = rolesanywhere.create_profile(name="told", roleArns=[], tags=[{"key": "a", "value": "b"}])
    event = clean.test_api("GET", "cloudtrail")[1]["Records"][-1]
    assert event["requestParameters"] == {
        "name": "told",
        "roleArns": [],
        "tags": [{"key": "a", "value": "b"}],
    }
    assert event["responseElements"]["profile"]["profileArn"] == made["profile"]["profileArn"]


@pytest.mark.parametrize(
    ("effect", "code", "status"),
    [
        ({"kind": "server_error"}, "InternalServerException", 500),
        ({"kind": "throttled"}, "ThrottlingException", 429),
        (
            {"kind": "service_unavailable", "retry_after_seconds": 7},
            "ServiceUnavailableException",
            503,
        ),
    ],
)
def test_errors_on_demand(clean, rolesanywhere, client, effect, code, status):
    inject(clean, effect)
    with refused(code, status):
        rolesanywhere.list_profiles()
    rolesanywhere.list_profiles()
    # A client that tries again gets through.
    inject(clean, effect)
    assert client("rolesanywhere", retries=1).list_profiles()["profiles"] == []
    # Other operations are left alone.
    inject(clean, effect)
    rolesanywhere.list_crls()


def test_errors_on_demand_of_iam(clean, iam):
    inject(clean, {"kind": "throttled"}, operation="ListRoles")
    with refused("Throttling", 429):
        iam.list_roles()
    assert iam.list_roles()["Roles"] == []


def test_retry_after(clean, rolesanywhere):
    inject(clean, {"kind": "service_unavailable", "retry_after_seconds": 7})
    with pytest.raises(rolesanywhere.exceptions.ServiceUnavailableException) as caught:
        rolesanywhere.list_profiles()
    assert caught.value.response["retryAfterSeconds"] == 7


def test_broken_connections(clean, rolesanywhere, client):
    inject(clean, {"kind": "dropped_connection"}, operation="CreateProfile")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        rolesanywhere.create_profile(name="lost", roleArns=[])
    # The answer was lost, the deed was not.
    assert [one["name"] for one in rolesanywhere.list_profiles()["profiles"]] == ["lost"]
    inject(clean, {"kind": "truncated_body"})
    with pytest.raises(botocore.exceptions.HTTPClientError):
        rolesanywhere.list_profiles()
    inject(clean, {"kind": "truncated_body", "bytes": 0})
    assert client("rolesanywhere", retries=1).list_profiles()["profiles"]


def test_latency(clean, rolesanywhere):
    inject(clean, {"kind": "latency", "milliseconds": 400})
    began = time.monotonic()
    rolesanywhere.list_profiles()
    assert 0.4 <= time.monotonic() - began < 5


def test_a_skewed_date(clean, rolesanywhere):
    inject(clean, {"kind": "skewed_date", "seconds": -7200})
    headers = rolesanywhere.list_profiles()["ResponseMetadata"]["HTTPHeaders"]
    date = email.utils.parsedate_to_datetime(headers["date"])
    assert abs(date.timestamp() + 7200 - time.time()) < 10


def test_nobody_else_uses_it(clean):
    """A page of another origin, in a browser on this machine."""
    context = ssl.create_default_context(cafile=clean.ca_file)
    host, port = clean.host.split(":")
    for origin, status in (("https://evil.example", b"403"), (clean.endpoint, b"200")):
        request = (
            f"POST /_emulator/reset HTTP/1.1\r\nhost: {clean.host}\r\norigin: {origin}\r\n"
            "content-length: 0\r\nconnection: close\r\n\r\n"
        )
        with socket.create_connection((host, int(port))) as plain:
            with context.wrap_socket(plain, server_hostname=host) as stream:
                stream.sendall(request.encode())
                assert stream.recv(4096).split()[1] == status


def test_limits(tmp_path, client, authority):
    limits = (
        "control_plane_calls_per_second = 1\nprofiles = 1\n"
        "trust_anchors = 1\ncrls_per_trust_anchor = 1\n"
    )
    running = Emulator(tmp_path / "limited", f"[settings.limits]\n{limits}")
    try:
        patient = client("rolesanywhere", running, retries=10)
        hasty = client("rolesanywhere", running)
        patient.create_profile(name="first", roleArns=[])
        with refused("ThrottlingException", 429, "Rate exceeded"):
            for _ in range(3):
                hasty.list_profiles()
        with refused("ValidationException", 400, "quota"):
            patient.create_profile(name="second", roleArns=[])
        records = running.test_api("GET", "audit")[1]["records"]
        assert "limits" in json.dumps(records)
    finally:
        running.close()
