"""Roles through IAM's query protocol, by unmodified boto3."""

import json

import pytest

from support import ACCOUNT, TRUST_POLICY, refused


def test_role_life(iam):
    made = iam.create_role(
        RoleName="made",
        Path="/team/",
        AssumeRolePolicyDocument=json.dumps(TRUST_POLICY),
        Description="ü & <b>",
        MaxSessionDuration=7200,
        Tags=[{"Key": "a", "Value": "b c"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/made"
    assert made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21
    assert made["AssumeRolePolicyDocument"] == TRUST_POLICY
    assert made["MaxSessionDuration"] == 7200
    assert made["Description"] == "ü & <b>"
    assert made["Tags"] == [{"Key": "a", "Value": "b c"}]
    assert iam.get_role(RoleName="made")["Role"] == made
    changed = json.loads(json.dumps(TRUST_POLICY))
    changed["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    iam.update_assume_role_policy(RoleName="made", PolicyDocument=json.dumps(changed))
    assert iam.get_role(RoleName="made")["Role"]["AssumeRolePolicyDocument"] == changed
    iam.delete_role(RoleName="made")
    with refused("NoSuchEntity", 404, "The role with name made cannot be found."):
        iam.get_role(RoleName="made")


def test_refusals(iam):
    policy = json.dumps(TRUST_POLICY)
    iam.create_role(RoleName="once", AssumeRolePolicyDocument=policy)
    with refused("EntityAlreadyExists", 409, "Role with name once already exists."):
        iam.create_role(RoleName="once", Path="/other/", AssumeRolePolicyDocument=policy)
    with refused("MalformedPolicyDocument", 400):
        iam.create_role(RoleName="bad", AssumeRolePolicyDocument="no JSON")
    unknown = policy.replace('"Action"', '"Actoin"')
    with refused("MalformedPolicyDocument", 400):
        iam.update_assume_role_policy(RoleName="once", PolicyDocument=unknown)
    assert iam.get_role(RoleName="once")["Role"]["AssumeRolePolicyDocument"] == TRUST_POLICY
    with refused("ValidationError", 400):
        iam.create_role(RoleName="a b", AssumeRolePolicyDocument=policy)
    with refused("ValidationError", 400):
        iam.create_role(RoleName="bad", AssumeRolePolicyDocument=policy, MaxSessionDuration=43201)
    with refused("NoSuchEntity", 404):
        iam.delete_role(RoleName="nobody")
    with refused("InvalidAction", 400):
        iam.list_users()
    iam.delete_role(RoleName="once")


def test_pages(iam):
    names = {f"page-{number}" for number in range(5)}
    for name in names:
        iam.create_role(
            RoleName=name, Path="/page/", AssumeRolePolicyDocument=json.dumps(TRUST_POLICY)
        )
    pages = list(
        iam.get_paginator("list_roles").paginate(
            PathPrefix="/page/", PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["Roles"]) for page in pages] == [2, 2, 1]
    assert {role["RoleName"] for page in pages for role in page["Roles"]} == names
    for name in names:
        iam.delete_role(RoleName=name)


@pytest.mark.parametrize("service", ["iam", "rolesanywhere"])
def test_signatures_of_known_keys_are_verified(tmp_path, client, service):
    from support import Emulator

    config = '[[access_key]]\nid = "AKIDEXAMPLE"\nsecret = "known"\n'
    config += "[settings]\naccept_any_access_key = false\n"
    running = Emulator(tmp_path / "strict", config)
    try:
        call = {"iam": "list_roles", "rolesanywhere": "list_profiles"}[service]

        def ask(key, secret):
            keys = {"aws_access_key_id": key, "aws_secret_access_key": secret}
            return getattr(client(service, running, **keys), call)()

        ask("AKIDEXAMPLE", "known")
        wrong = {"iam": "SignatureDoesNotMatch", "rolesanywhere": "InvalidSignatureException"}
        with refused(wrong[service], 403):
            ask("AKIDEXAMPLE", "wrong")
        unknown = {"iam": "InvalidClientTokenId", "rolesanywhere": "UnrecognizedClientException"}
        with refused(unknown[service], 403):
            ask("testing", "testing")
        if service == "rolesanywhere":
            # An identifier that is percent-encoded in the path is encoded again to be signed.
            keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "known"}
            strict = client(service, running, **keys)
            profile = strict.create_profile(name="p", roleArns=[])["profile"]
            arn = profile["profileArn"]
            assert strict.get_profile(profileId=arn)["profile"]["profileArn"] == arn
            strict.delete_attribute_mapping(
                profileId=arn, certificateField="x509SAN", specifiers=["Name/*", "DNS"]
            )
    finally:
        running.close()
