"""A sample of the operations through the AWS CLI."""

import json
import os
import subprocess
import sys

from support import ACCOUNT, REGION, TRUST_POLICY


def aws(emulator, *arguments, fails=False):
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CA_BUNDLE": emulator.ca_file,
        "AWS_MAX_ATTEMPTS": "1",
    }
    command = [os.path.join(os.path.dirname(sys.executable), "aws")]
    done = subprocess.run(
        [*command, "--endpoint-url", emulator.endpoint, "--output", "json", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if fails:
        assert done.returncode != 0, done.stdout
        return done.stderr
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_a_sample(emulator, authority, tmp_path):
    role = aws(
        emulator,
        *("iam", "create-role", "--role-name", "cli"),
        *("--assume-role-policy-document", json.dumps(TRUST_POLICY)),
    )["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/cli"
    source = {
        "sourceType": "CERTIFICATE_BUNDLE",
        "sourceData": {"x509CertificateData": authority.pem},
    }
    anchor = aws(
        emulator,
        *("rolesanywhere", "create-trust-anchor", "--name", "cli", "--enabled"),
        *("--source", json.dumps(source), "--tags", "key=a,value=b"),
    )["trustAnchor"]
    assert anchor["enabled"] is True
    arn = anchor["trustAnchorArn"]
    tags = aws(emulator, "rolesanywhere", "list-tags-for-resource", "--resource-arn", arn)
    assert tags == {"tags": [{"key": "a", "value": "b"}]}
    profile = aws(
        emulator,
        *("rolesanywhere", "create-profile", "--name", "cli", "--role-arns", role["Arn"]),
    )["profile"]
    # The CLI of this version carries a model of its own, which does not know aliases.
    profile_id = profile["profileId"]
    mapped = aws(
        emulator,
        *("rolesanywhere", "put-attribute-mapping", "--profile-id", profile_id),
        *("--certificate-field", "x509Subject", "--mapping-rules", "specifier=L", "specifier=OU"),
    )["profile"]["attributeMappings"]
    rules = [{"specifier": "L"}, {"specifier": "OU"}]
    assert {"certificateField": "x509Subject", "mappingRules": rules} in mapped
    enabled = aws(emulator, "rolesanywhere", "enable-profile", "--profile-id", profile_id)
    assert enabled["profile"]["enabled"] is True
    from cryptography.hazmat.primitives import serialization

    file = tmp_path / "crl.pem"
    file.write_bytes(authority.crl(7).public_bytes(serialization.Encoding.PEM))
    crl = aws(
        emulator,
        *("rolesanywhere", "import-crl", "--name", "cli", "--crl-data", f"fileb://{file}"),
        *("--trust-anchor-arn", arn, "--no-enabled"),
    )["crl"]
    listed = aws(emulator, "rolesanywhere", "list-crls")["crls"]
    assert crl["crlId"] in [one["crlId"] for one in listed]
    error = aws(
        emulator, "rolesanywhere", "delete-trust-anchor", "--trust-anchor-id", arn, fails=True
    )
    assert "ValidationException" in error
    aws(emulator, "rolesanywhere", "delete-crl", "--crl-id", crl["crlId"])
    aws(emulator, "rolesanywhere", "delete-trust-anchor", "--trust-anchor-id", arn)
    aws(emulator, "rolesanywhere", "delete-profile", "--profile-id", profile_id)
    error = aws(emulator, "rolesanywhere", "get-profile", "--profile-id", profile_id, fails=True)
    assert "ResourceNotFoundException" in error
    aws(emulator, "iam", "delete-role", "--role-name", "cli")
