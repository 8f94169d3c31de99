"""The state file: what was acknowledged is there after kill -9."""

import signal

from cryptography.hazmat.primitives import serialization
from iam_rolesanywhere_session import IAMRolesAnywhereSession

from support import REGION, TRUST_POLICY, Emulator, refused


def test_everything_survives(tmp_path, client, authority):
    import json

    state = tmp_path / "state.redb"
    config = '[[role]]\nname = "configured"\n'
    running = Emulator(tmp_path / "first", config, state)
    assert state.stat().st_mode & 0o077 == 0, "nobody else's"
    ra, iam = client("rolesanywhere", running), client("iam", running)
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST_POLICY))
    iam.delete_role(RoleName="configured")
    anchor = ra.create_trust_anchor(
        name="anchor",
        enabled=True,
        aliasName="anchor",
        source={
            "sourceType": "CERTIFICATE_BUNDLE",
            "sourceData": {"x509CertificateData": authority.pem},
        },
        notificationSettings=[{"enabled": True, "event": "CA_CERTIFICATE_EXPIRY", "threshold": 3}],
        tags=[{"key": "a", "value": "b"}],
    )["trustAnchor"]
    profile = ra.create_profile(name="p", roleArns=[role["Role"]["Arn"]], enabled=True)["profile"]
    ra.delete_attribute_mapping(profileId=profile["profileId"], certificateField="x509Issuer")
    gone = ra.create_profile(name="gone", roleArns=[])["profile"]
    ra.delete_profile(profileId=gone["profileId"])
    crl = ra.import_crl(
        name="crl",
        crlData=authority.crl(9).public_bytes(serialization.Encoding.DER),
        trustAnchorArn=anchor["trustAnchorArn"],
        enabled=True,
    )["crl"]
    _, certificate, key = authority.issue("survivor")
    session = IAMRolesAnywhereSession(
        profile["profileArn"],
        role["Role"]["Arn"],
        anchor["trustAnchorArn"],
        certificate,
        key,
        region=REGION,
        endpoint=running.host,
        verify=running.ca_file,
    ).get_session()

    def everything(ra, iam):
        subjects = [one["subjectId"] for one in ra.list_subjects()["subjects"]]
        answers = [
            ra.list_trust_anchors(),
            ra.list_profiles(),
            ra.list_crls(),
            ra.list_tags_for_resource(resourceArn=anchor["trustAnchorArn"]),
            ra.get_trust_anchor(trustAnchorId=anchor["aliasArn"]),
            iam.list_roles(),
            *[ra.get_subject(subjectId=subject) for subject in subjects],
        ]
        for answer in answers:
            answer.pop("ResponseMetadata")
        return answers

    def who(running):
        options = {"region_name": REGION, "endpoint_url": running.endpoint}
        sts = session.client("sts", verify=running.ca_file, **options)
        return sts.get_caller_identity()["Arn"]

    arn = who(running)
    before = everything(ra, iam)
    assert len(before) == 7 and before[2]["crls"][0]["crlId"] == crl["crlId"]
    assert [role["RoleName"] for role in before[5]["Roles"]] == ["app"]
    running.close(signal.SIGKILL)
    running = Emulator(tmp_path / "first", config, state)
    ra, iam = client("rolesanywhere", running), client("iam", running)
    # What the configuration brought in and the control plane deleted stays deleted.
    assert everything(ra, iam) == before
    # Credentials that were given out are still good.
    assert who(running) == arn
    with refused("ResourceNotFoundException", 404):
        ra.get_profile(profileId=gone["profileId"])
    assert running.test_api("POST", "reset")[0] == 200
    assert ra.list_profiles()["profiles"] == []
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["configured"]
    running.close()
