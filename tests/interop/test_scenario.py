"""A whole scenario: everything is made by boto3, then unmodified clients get sessions."""

import base64
import json
import ssl
import subprocess
import urllib.error
import urllib.request

import boto3
import botocore.exceptions
import pytest
from cryptography.hazmat.primitives import serialization
from iam_rolesanywhere_session import CredentialsRetrievalError, IAMRolesAnywhereSession

from support import ACCOUNT, BINARY, REGION, TRUST_POLICY


@pytest.fixture
def scenario(iam, rolesanywhere, authority, tmp_path):
    """Role, trust anchor and profile, enabled, and a client's certificate."""
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST_POLICY))
    anchor = rolesanywhere.create_trust_anchor(
        name="anchor",
        source={
            "sourceType": "CERTIFICATE_BUNDLE",
            "sourceData": {"x509CertificateData": authority.pem},
        },
    )["trustAnchor"]
    profile = rolesanywhere.create_profile(name="app", roleArns=[role["Role"]["Arn"]])["profile"]
    rolesanywhere.enable_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
    rolesanywhere.enable_profile(profileId=profile["profileId"])
    certificate, certificate_pem, key_pem = authority.issue("scenario")
    (tmp_path / "client.pem").write_bytes(certificate_pem)
    (tmp_path / "client.key").write_bytes(key_pem)
    yield {
        "role": role["Role"]["Arn"],
        "anchor": anchor,
        "profile": profile,
        "certificate": certificate,
        "certificate_pem": certificate_pem,
        "files": (str(tmp_path / "client.pem"), str(tmp_path / "client.key")),
    }
    for crl in rolesanywhere.list_crls()["crls"]:
        rolesanywhere.delete_crl(crlId=crl["crlId"])
    rolesanywhere.delete_profile(profileId=profile["profileId"])
    rolesanywhere.delete_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
    iam.delete_role(RoleName="app")


def awslabs(scenario, emulator, **options):
    """A session of iam-rolesanywhere-session."""
    certificate, key = scenario["files"]
    return IAMRolesAnywhereSession(
        scenario["profile"]["profileArn"],
        scenario["role"],
        scenario["anchor"]["trustAnchorArn"],
        certificate,
        key,
        region=REGION,
        endpoint=emulator.host,
        verify=emulator.ca_file,
        **options,
    ).get_session()


def command_line(scenario, emulator):
    """Runs our own command, which prints credentials."""
    certificate, key = scenario["files"]
    return subprocess.run(
        [
            BINARY,
            "credential-process",
            "--certificate",
            certificate,
            "--private-key",
            key,
            "--trust-anchor-arn",
            scenario["anchor"]["trustAnchorArn"],
            "--profile-arn",
            scenario["profile"]["profileArn"],
            "--role-arn",
            scenario["role"],
            "--endpoint",
            emulator.endpoint,
            "--ca-bundle",
            emulator.ca_file,
            "--no-cache",  # each call asks the service
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )


def who_is(emulator, session):
    sts = session.client(
        "sts", region_name=REGION, endpoint_url=emulator.endpoint, verify=emulator.ca_file
    )
    return sts.get_caller_identity()


def test_a_url_that_boto3_presigns_is_answered(scenario, emulator):
    told = json.loads(command_line(scenario, emulator).stdout)
    session = boto3.Session(
        aws_access_key_id=told["AccessKeyId"],
        aws_secret_access_key=told["SecretAccessKey"],
        aws_session_token=told["SessionToken"],
    )
    sts = session.client("sts", region_name=REGION, endpoint_url=emulator.endpoint)
    url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    trusted = ssl.create_default_context(cafile=emulator.ca_file)
    with urllib.request.urlopen(url, context=trusted, timeout=30) as answer:
        assert f"<Account>{ACCOUNT}</Account>" in answer.read().decode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), context=trusted, timeout=30)
    assert refused.value.code == 403


def test_sessions_come_and_go_with_the_control_plane(scenario, emulator, rolesanywhere):
    session_arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/"
    identity = who_is(emulator, awslabs(scenario, emulator))
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"].startswith(session_arn)
    done = command_line(scenario, emulator)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    ours = boto3.Session(
        aws_access_key_id=told["AccessKeyId"],
        aws_secret_access_key=told["SecretAccessKey"],
        aws_session_token=told["SessionToken"],
    )
    assert who_is(emulator, ours)["Arn"] == identity["Arn"]

    def refusal(message):
        with pytest.raises(CredentialsRetrievalError) as caught:
            who_is(emulator, awslabs(scenario, emulator))
        assert message in str(caught.value)
        done = command_line(scenario, emulator)
        assert done.returncode != 0 and message in done.stderr

    profile_id = scenario["profile"]["profileId"]
    anchor_id = scenario["anchor"]["trustAnchorId"]
    rolesanywhere.disable_profile(profileId=profile_id)
    refusal("Specified Profile is disabled.")
    rolesanywhere.enable_profile(profileId=profile_id)
    rolesanywhere.disable_trust_anchor(trustAnchorId=anchor_id)
    refusal("Specified Trust Anchor is disabled.")
    rolesanywhere.enable_trust_anchor(trustAnchorId=anchor_id)
    who_is(emulator, awslabs(scenario, emulator))


def test_a_revoked_certificate_is_refused(scenario, emulator, rolesanywhere, authority):
    crl = rolesanywhere.import_crl(
        name="revoked",
        crlData=authority.crl(scenario["certificate"].serial_number).public_bytes(
            serialization.Encoding.PEM
        ),
        trustAnchorArn=scenario["anchor"]["trustAnchorArn"],
    )["crl"]
    who_is(emulator, awslabs(scenario, emulator))
    rolesanywhere.enable_crl(crlId=crl["crlId"])
    with pytest.raises(CredentialsRetrievalError, match="Certificate revoked"):
        who_is(emulator, awslabs(scenario, emulator))
    rolesanywhere.update_crl(
        crlId=crl["crlId"], crlData=authority.crl(1).public_bytes(serialization.Encoding.PEM)
    )
    who_is(emulator, awslabs(scenario, emulator))


def test_subjects(scenario, emulator, rolesanywhere, authority):
    before = {one["subjectId"] for one in rolesanywhere.list_subjects()["subjects"]}
    properties = {"host": "lab-1"}
    session = awslabs(scenario, emulator, instance_properties=properties)
    who_is(emulator, session)
    subjects = rolesanywhere.list_subjects()["subjects"]
    [new] = [one for one in subjects if one["subjectId"] not in before]
    # RFC 2253, as EventBridge shows names.
    assert new["x509Subject"] == r"CN=scenario,O=Lab\, Ltd,C=DE"
    assert new["subjectArn"].endswith(f":subject/{new['subjectId']}")
    subject = rolesanywhere.get_subject(subjectId=new["subjectId"])["subject"]
    assert new.items() <= subject.items()
    [credential] = subject["credentials"]
    assert credential["serialNumber"] == str(scenario["certificate"].serial_number)
    assert credential["issuer"] == "CN=Test CA"
    assert credential["x509CertificateData"].encode() == scenario["certificate_pem"]
    assert credential["enabled"] is True and credential["failed"] is False
    [seen] = subject["instanceProperties"]
    assert seen["properties"] == properties and seen["failed"] is False
    # A request that fails after it has proved to hold the key is seen too.
    rolesanywhere.disable_profile(profileId=scenario["profile"]["profileId"])
    with pytest.raises(CredentialsRetrievalError):
        who_is(emulator, awslabs(scenario, emulator))
    subject = rolesanywhere.get_subject(subjectId=new["subjectId"])["subject"]
    assert [credential["failed"] for credential in subject["credentials"]] == [True]
    arn = subject["subjectArn"]
    rolesanywhere.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    tags = rolesanywhere.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"key": "a", "value": "b"}]
    rolesanywhere.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert rolesanywhere.list_tags_for_resource(resourceArn=arn)["tags"] == []
    # Pages, over subjects of other names.
    for name in ("page-1", "page-2"):
        _, certificate_pem, key_pem = authority.issue(name)
        for path, data in zip(scenario["files"], (certificate_pem, key_pem)):
            with open(path, "wb") as file:
                file.write(data)
        rolesanywhere.enable_profile(profileId=scenario["profile"]["profileId"])
        who_is(emulator, awslabs(scenario, emulator))
    pages = list(rolesanywhere.get_paginator("list_subjects").paginate(pageSize=2))
    listed = [one for page in pages for one in page["subjects"]]
    # Each once; what earlier tests left is of the same name, under trust anchors of their own.
    assert len(listed) == len(before) + 3 == len({one["subjectId"] for one in listed})
    assert {one["x509Subject"] for one in listed if one["subjectId"] not in before} == {
        rf"CN={name},O=Lab\, Ltd,C=DE" for name in ("scenario", "page-1", "page-2")
    }


def test_issued_credentials_sign_the_control_plane(scenario, emulator):
    session = awslabs(scenario, emulator)
    options = {"endpoint_url": emulator.endpoint, "verify": emulator.ca_file}
    mine = session.client("rolesanywhere", region_name=REGION, **options)
    made = mine.create_profile(name="mine", roleArns=[])["profile"]
    assert made["createdBy"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/app/")
    mine.delete_profile(profileId=made["profileId"])
    keys = session.get_credentials().get_frozen_credentials()
    forged = boto3.Session(keys.access_key, base64.b64encode(b"x" * 30).decode(), keys.token)
    forger = forged.client("rolesanywhere", region_name=REGION, **options)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidSignatureException"):
        forger.list_profiles()
