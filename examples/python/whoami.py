"""Who am I? A boto3 session from a certificate: `whoami.py CERTIFICATE PRIVATE-KEY`."""

import os
import sys

import rolesanywhere

session = rolesanywhere.boto3_session(
    trust_anchor_arn=os.environ["AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN"],
    profile_arn=os.environ["AWS_ROLESANYWHERE_PROFILE_ARN"],
    role_arn=os.environ["AWS_ROLESANYWHERE_ROLE_ARN"],
    certificate=sys.argv[1],
    private_key=sys.argv[2],
)
print(session.client("sts").get_caller_identity()["Arn"])
