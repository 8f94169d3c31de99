"""Prints who the credentials of the AWS CRT's default chain belong to.

The CRT is below the SDKs for C++ and others. It reads a token of IMDSv2 into a buffer of 64 bytes.
"""

import awscrt.auth
import boto3

provider = awscrt.auth.AwsCredentialsProvider.new_default_chain()
credentials = provider.get_credentials().result(timeout=20)
session = boto3.Session(
    aws_access_key_id=credentials.access_key_id,
    aws_secret_access_key=credentials.secret_access_key,
    aws_session_token=credentials.session_token,
)
print(session.client("sts").get_caller_identity()["Arn"])
