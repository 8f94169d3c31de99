"""Prints who the credentials of botocore's default chain belong to."""

import boto3

session = boto3.Session()
credentials = session.get_credentials()
assert credentials.method in ("iam-role", "container-role"), credentials.method
print(session.client("sts").get_caller_identity()["Arn"])
