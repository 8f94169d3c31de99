"""Every operation of the control plane through unmodified boto3. Its own model checks each answer's
members; these tests check what they say."""

import datetime

import pytest
from botocore.exceptions import ParamValidationError
from cryptography.hazmat.primitives import serialization

from support import ACCOUNT, REGION, Authority, refused

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"


def arn(resource):
    return f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}:{resource}"


def source(pem):
    return {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": pem}}


@pytest.fixture
def anchor(rolesanywhere, authority):
    answer = rolesanywhere.create_trust_anchor(name="anchor", source=source(authority.pem))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    yield answer["trustAnchor"]
    rolesanywhere.delete_trust_anchor(trustAnchorId=answer["trustAnchor"]["trustAnchorId"])


@pytest.fixture
def profile(rolesanywhere):
    answer = rolesanywhere.create_profile(name="profile", roleArns=[ROLE])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    yield answer["profile"]
    rolesanywhere.delete_profile(profileId=answer["profile"]["profileId"])


def pem(crl):
    return crl.public_bytes(serialization.Encoding.PEM)


def test_trust_anchor_life(rolesanywhere, anchor, authority):
    anchor_id = anchor["trustAnchorId"]
    assert anchor["trustAnchorArn"] == arn(f"trust-anchor/{anchor_id}")
    assert anchor["name"] == "anchor"
    assert anchor["enabled"] is False, "false when absent"
    assert anchor["crlDpRevocationEnabled"] is False
    assert anchor["source"] == source(authority.pem)
    assert isinstance(anchor["createdAt"], datetime.datetime)
    assert "aliasName" not in anchor
    get = lambda: rolesanywhere.get_trust_anchor(trustAnchorId=anchor_id)["trustAnchor"]
    assert get() == anchor
    assert rolesanywhere.enable_trust_anchor(trustAnchorId=anchor_id)["trustAnchor"]["enabled"]
    assert get()["enabled"]
    disabled = rolesanywhere.disable_trust_anchor(trustAnchorId=anchor_id)
    assert not disabled["trustAnchor"]["enabled"]
    other = Authority("Other CA")
    updated = rolesanywhere.update_trust_anchor(
        trustAnchorId=anchor_id,
        name="renamed",
        source=source(authority.pem + other.pem),
        crlDpRevocationEnabled=True,
    )["trustAnchor"]
    assert (updated["name"], updated["trustAnchorArn"]) == ("renamed", anchor["trustAnchorArn"])
    assert updated["source"] == source(authority.pem + other.pem)
    assert updated["crlDpRevocationEnabled"] is True
    assert get() == updated
    # By ARN, percent-encoded in the path and signed so.
    by_arn = rolesanywhere.get_trust_anchor(trustAnchorId=anchor["trustAnchorArn"])
    assert by_arn["trustAnchor"] == updated


def test_trust_anchor_refusals(rolesanywhere, authority):
    create = lambda pem: rolesanywhere.create_trust_anchor(name="bad", source=source(pem))
    _, leaf, _ = authority.issue()
    with refused("ValidationException", 400, "Incorrect basic constraints for CA certificate"):
        create(leaf.decode())
    with refused("ValidationException", 400, "Incorrect basic constraints for CA certificate"):
        create(Authority("Weak", can_sign=False).pem)
    with refused("ValidationException", 400, "Error creating TrustAnchor. Bad certificate data"):
        create("no certificate")
    with refused("ValidationException", 400):
        rolesanywhere.create_trust_anchor(
            name="bad",
            source={"sourceType": "AWS_ACM_PCA", "sourceData": {"x509CertificateData": "x"}},
        )
    with refused("ValidationException", 400, "there is no private CA"):
        rolesanywhere.create_trust_anchor(
            name="bad",
            source={"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "arn:aws:acm-pca:x"}},
        )
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.get_trust_anchor(trustAnchorId=UNKNOWN)
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.delete_trust_anchor(trustAnchorId=UNKNOWN)
    with refused("ResourceNotFoundException", 404):
        elsewhere = arn(f"trust-anchor/{UNKNOWN}").replace(REGION, "us-east-1")
        rolesanywhere.get_trust_anchor(trustAnchorId=elsewhere)


def test_profile_life(rolesanywhere, profile):
    profile_id = profile["profileId"]
    assert profile["profileArn"] == arn(f"profile/{profile_id}")
    assert profile["enabled"] is False, "false when absent"
    assert profile["durationSeconds"] == 3600
    assert profile["acceptRoleSessionName"] is False
    assert profile["requireInstanceProperties"] is False
    assert profile["createdBy"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert profile["roleArns"] == [ROLE]
    assert profile["managedPolicyArns"] == []
    assert "sessionPolicy" not in profile
    assert profile["attributeMappings"] == [
        {"certificateField": "x509Issuer", "mappingRules": [{"specifier": "*"}]},
        {
            "certificateField": "x509SAN",
            "mappingRules": [{"specifier": text} for text in ("DNS", "URI", "Name/*")],
        },
        {"certificateField": "x509Subject", "mappingRules": [{"specifier": "*"}]},
    ]
    get = lambda: rolesanywhere.get_profile(profileId=profile_id)["profile"]
    assert get() == profile
    assert rolesanywhere.enable_profile(profileId=profile_id)["profile"]["enabled"]
    assert not rolesanywhere.disable_profile(profileId=profile_id)["profile"]["enabled"]
    policy = '{"Version":"2012-10-17","Statement":[]}'
    managed = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    updated = rolesanywhere.update_profile(
        profileId=profile_id,
        name="renamed",
        sessionPolicy=policy,
        roleArns=[],
        managedPolicyArns=managed,
        durationSeconds=900,
        acceptRoleSessionName=True,
    )["profile"]
    assert updated["name"] == "renamed"
    assert updated["sessionPolicy"] == policy
    assert updated["roleArns"] == []
    assert updated["managedPolicyArns"] == managed
    assert updated["durationSeconds"] == 900
    assert updated["acceptRoleSessionName"] is True
    assert get() == updated
    # What is absent stays.
    again = rolesanywhere.update_profile(profileId=profile_id, name="again")["profile"]
    assert {**again, "name": "renamed"} == updated


def test_attribute_mappings(rolesanywhere, profile):
    profile_id = profile["profileId"]

    def mappings(answer):
        return {
            mapping["certificateField"]: [rule["specifier"] for rule in mapping["mappingRules"]]
            for mapping in answer["profile"]["attributeMappings"]
        }

    rules = [{"specifier": text} for text in ("CN", "OU", "O")]
    put = rolesanywhere.put_attribute_mapping(
        profileId=profile_id, certificateField="x509Subject", mappingRules=rules
    )
    assert mappings(put)["x509Subject"] == ["CN", "OU", "O"]
    assert mappings(put)["x509Issuer"] == ["*"]
    some = rolesanywhere.delete_attribute_mapping(
        profileId=profile_id, certificateField="x509Subject", specifiers=["CN", "O"]
    )
    assert mappings(some)["x509Subject"] == ["OU"]
    whole = rolesanywhere.delete_attribute_mapping(
        profileId=profile_id, certificateField="x509Issuer"
    )
    assert mappings(whole) == {"x509SAN": ["DNS", "URI", "Name/*"], "x509Subject": ["OU"]}
    assert mappings(rolesanywhere.get_profile(profileId=profile_id)) == mappings(whole)
    with refused("ValidationException", 400, "certificateField"):
        rolesanywhere.put_attribute_mapping(
            profileId=profile_id, certificateField="x509Nothing", mappingRules=rules
        )


def test_crl_life(rolesanywhere, anchor, authority):
    data = pem(authority.crl(1, 2))
    answer = rolesanywhere.import_crl(
        name="crl", crlData=data, trustAnchorArn=anchor["trustAnchorArn"]
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    crl = answer["crl"]
    crl_id = crl["crlId"]
    assert crl["crlArn"] == arn(f"crl/{crl_id}")
    assert crl["crlData"] == data, "byte for byte"
    assert crl["enabled"] is False
    assert crl["trustAnchorArn"] == anchor["trustAnchorArn"]
    assert rolesanywhere.get_crl(crlId=crl_id)["crl"] == crl
    assert rolesanywhere.enable_crl(crlId=crl_id)["crl"]["enabled"]
    assert not rolesanywhere.disable_crl(crlId=crl_id)["crl"]["enabled"]
    der = authority.crl(3).public_bytes(serialization.Encoding.DER)
    updated = rolesanywhere.update_crl(crlId=crl_id, name="renamed", crlData=der)["crl"]
    assert (updated["name"], updated["crlData"]) == ("renamed", der)
    with refused("ValidationException", 400, crl["crlArn"]):
        rolesanywhere.delete_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
    assert [one["crlId"] for one in rolesanywhere.list_crls()["crls"]] == [crl_id]
    assert rolesanywhere.delete_crl(crlId=crl_id)["crl"]["crlId"] == crl_id
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.get_crl(crlId=crl_id)
    with refused("ValidationException", 400):
        rolesanywhere.import_crl(
            name="bad", crlData=b"no CRL", trustAnchorArn=anchor["trustAnchorArn"]
        )
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.import_crl(
            name="bad", crlData=data, trustAnchorArn=arn(f"trust-anchor/{UNKNOWN}")
        )


def test_notification_settings(rolesanywhere, anchor):
    anchor_id = anchor["trustAnchorId"]
    events = ["CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY"]
    default = [
        {
            "enabled": True,
            "event": event,
            "threshold": 45,
            "channel": "ALL",
            "configuredBy": "rolesanywhere.amazonaws.com",
        }
        for event in events
    ]
    assert anchor["notificationSettings"] == default
    changed = rolesanywhere.put_notification_settings(
        trustAnchorId=anchor_id,
        notificationSettings=[{"enabled": True, "event": events[0], "threshold": 7}],
    )["trustAnchor"]["notificationSettings"]
    own = {**default[0], "threshold": 7, "configuredBy": ACCOUNT}
    assert changed == [own, default[1]]
    off = rolesanywhere.put_notification_settings(
        trustAnchorId=anchor_id,
        notificationSettings=[{"enabled": False, "event": events[1], "channel": "ALL"}],
    )["trustAnchor"]["notificationSettings"]
    assert off[0] == own
    assert off[1]["enabled"] is False
    reset = rolesanywhere.reset_notification_settings(
        trustAnchorId=anchor_id, notificationSettingKeys=[{"event": event} for event in events]
    )["trustAnchor"]["notificationSettings"]
    assert reset == default
    for settings in (
        [{"enabled": True, "event": events[0]}],
        [{"enabled": True, "event": events[0], "threshold": 361}],
        [{"enabled": True, "event": "OTHER", "threshold": 1}],
    ):
        with refused("ValidationException", 400):
            rolesanywhere.put_notification_settings(
                trustAnchorId=anchor_id, notificationSettings=settings
            )


def test_tags(rolesanywhere, anchor, profile, authority):
    crl = rolesanywhere.import_crl(
        name="tagged",
        crlData=pem(authority.crl()),
        trustAnchorArn=anchor["trustAnchorArn"],
        tags=[{"key": "from", "value": "birth"}],
    )["crl"]
    for resource in (anchor["trustAnchorArn"], profile["profileArn"], crl["crlArn"]):

        def tags():
            listed = rolesanywhere.list_tags_for_resource(resourceArn=resource)["tags"]
            return {tag["key"]: tag["value"] for tag in listed}

        answer = rolesanywhere.tag_resource(
            resourceArn=resource,
            tags=[{"key": "a b", "value": ""}, {"key": "c", "value": "1"}],
        )
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
        rolesanywhere.tag_resource(resourceArn=resource, tags=[{"key": "c", "value": "2"}])
        assert {"a b": "", "c": "2"}.items() <= tags().items()
        rolesanywhere.untag_resource(resourceArn=resource, tagKeys=["a b", "absent"])
        assert tags().get("c") == "2" and "a b" not in tags()
        with refused("ValidationException", 400):
            rolesanywhere.tag_resource(resourceArn=resource, tags=[{"key": "aws:x", "value": ""}])
        with refused("ValidationException", 400):
            rolesanywhere.tag_resource(resourceArn=resource, tags=[{"key": "ü", "value": ""}])
        with refused("TooManyTagsException", 400):
            many = [{"key": f"k{number}", "value": ""} for number in range(200)]
            rolesanywhere.tag_resource(resourceArn=resource, tags=many)
    rolesanywhere.delete_crl(crlId=crl["crlId"])
    for resource in (arn(f"profile/{UNKNOWN}"), arn(f"subject/{UNKNOWN}"), ROLE):
        with refused("ResourceNotFoundException", 404):
            rolesanywhere.list_tags_for_resource(resourceArn=resource)
        with refused("ResourceNotFoundException", 404):
            rolesanywhere.untag_resource(resourceArn=resource, tagKeys=["a"])


def test_aliases(rolesanywhere, anchor, profile, authority):
    alias = arn("alias/profile/team/app")
    named = rolesanywhere.update_profile(profileId=profile["profileId"], aliasName="team/app")
    assert named["profile"]["aliasName"] == "team/app"
    assert named["profile"]["aliasArn"] == alias
    assert "previousAliasName" not in named["profile"]
    assert rolesanywhere.get_profile(profileId=alias)["profile"]["name"] == "profile"
    # The same name under another type is another alias; under the same type it is taken.
    rolesanywhere.update_trust_anchor(trustAnchorId=anchor["trustAnchorId"], aliasName="team/app")
    with refused("ValidationException", 400, "team/app"):
        rolesanywhere.create_profile(name="second", roleArns=[], aliasName="team/app")
    for bad in ("aws/x", "AWS/x", "1a", "a//b", "a/", "a b", "a" * 257):
        with refused("ValidationException", 400):
            rolesanywhere.update_profile(profileId=profile["profileId"], aliasName=bad)
    moved = rolesanywhere.update_profile(profileId=alias, aliasName="app")["profile"]
    assert moved["previousAliasName"] == "team/app"
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.get_profile(profileId=alias)
    same = rolesanywhere.update_profile(profileId=profile["profileId"], aliasName="app")["profile"]
    assert "previousAliasName" not in same
    crl = rolesanywhere.import_crl(
        name="crl",
        crlData=pem(authority.crl()),
        trustAnchorArn=anchor["trustAnchorArn"],
        aliasName="crl",
    )["crl"]
    assert rolesanywhere.delete_crl(crlId=crl["aliasArn"])["crl"]["crlId"] == crl["crlId"]
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.import_crl(
            name="crl",
            crlData=pem(authority.crl()),
            trustAnchorArn=arn("alias/trust-anchor/team/app"),
        )
    removed = rolesanywhere.update_profile(profileId=profile["profileId"], aliasName="")["profile"]
    assert removed["previousAliasName"] == "app"
    assert "aliasName" not in removed and "aliasArn" not in removed


def test_pages(rolesanywhere, authority):
    made = {"profiles": set(), "trustAnchors": set(), "crls": set()}
    for number in range(7):
        profile = rolesanywhere.create_profile(name=f"page {number}", roleArns=[])["profile"]
        made["profiles"].add(profile["profileId"])
        anchor = rolesanywhere.create_trust_anchor(name="page", source=source(authority.pem))
        made["trustAnchors"].add(anchor["trustAnchor"]["trustAnchorId"])
        crl = rolesanywhere.import_crl(
            name="page",
            crlData=pem(authority.crl()),
            trustAnchorArn=anchor["trustAnchor"]["trustAnchorArn"],
        )["crl"]
        made["crls"].add(crl["crlId"])
    for operation, member, key in (
        ("list_profiles", "profiles", "profileId"),
        ("list_trust_anchors", "trustAnchors", "trustAnchorId"),
        ("list_crls", "crls", "crlId"),
    ):
        paginator = rolesanywhere.get_paginator(operation)
        pages = list(paginator.paginate(pageSize=3))
        listed = [one[key] for page in pages for one in page[member]]
        assert [len(page[member]) for page in pages] == [3, 3, 1]
        assert set(listed) == made[member] and len(listed) == 7
        assert len(getattr(rolesanywhere, operation)()[member]) == 7
    with refused("ValidationException", 400, "nextToken"):
        rolesanywhere.list_profiles(nextToken="bogus")
    with refused("ValidationException", 400, "pageSize"):
        rolesanywhere.list_profiles(pageSize=0)
    for crl_id in made["crls"]:
        rolesanywhere.delete_crl(crlId=crl_id)
    for anchor_id in made["trustAnchors"]:
        rolesanywhere.delete_trust_anchor(trustAnchorId=anchor_id)
    for profile_id in made["profiles"]:
        rolesanywhere.delete_profile(profileId=profile_id)


def test_validation_is_the_models(rolesanywhere):
    create = rolesanywhere.create_profile
    recorded = (
        "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy "
        "constraint: Member must have value less than or equal to 43200"
    )
    with refused("ValidationException", 400, recorded):
        create(name="p", roleArns=[], durationSeconds=43201)
    with refused("ValidationException", 400, "at 'name'"):
        create(name="a/b", roleArns=[])
    with refused("ValidationException", 400, "at 'name'"):
        create(name="a" * 256, roleArns=[])
    with refused("ValidationException", 400, "'roleArns.1.member'"):
        create(name="p", roleArns=["arn:aws:s3:::bucket"])
    with refused("ValidationException", 400, "at 'roleArns'"):
        create(name="p", roleArns=[ROLE] * 251)
    with refused("ValidationException", 400, "3 validation errors detected"):
        create(name="/", roleArns=["x" * 20], durationSeconds=50_000)
    with refused("ValidationException", 400, "at 'profileId'"):
        rolesanywhere.get_profile(profileId="nonsense")
    with refused("ValidationException", 400, "tags.1.member.key"):
        create(name="p", roleArns=[], tags=[{"key": "!", "value": ""}])
    with refused("ValidationException", 400, "session policy"):
        create(name="p", roleArns=[], sessionPolicy="no JSON")
    # boto3 itself refuses what its model requires; the emulator is asked without that.
    from botocore.config import Config

    with pytest.raises(ParamValidationError):
        create(name="p")
    unchecked = rolesanywhere.meta.config.merge(Config(parameter_validation=False))
    import boto3

    raw = boto3.client(
        "rolesanywhere",
        region_name=REGION,
        endpoint_url=rolesanywhere.meta.endpoint_url,
        verify=rolesanywhere._endpoint.http_session._verify,
        config=unchecked,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    with refused("ValidationException", 400, "Value null at 'name'"):
        raw.create_profile(roleArns=[])
    with refused("ValidationException", 400, "at 'enabled'"):
        raw.create_profile(name="p", roleArns=[], enabled="yes")


def test_subjects_of_nobody(rolesanywhere):
    assert rolesanywhere.list_subjects()["subjects"] == []
    with refused("ResourceNotFoundException", 404):
        rolesanywhere.get_subject(subjectId=UNKNOWN)
