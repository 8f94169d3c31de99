"""The private key stays in KMS: `kms_signer.py CERTIFICATE KEY-ID`.

The certificate must be one for the public key of that KMS key. Any function that takes bytes and
returns a signature serves in the same way, a coroutine function too.
"""

import os
import sys

import boto3
import rolesanywhere

# KMS hashes the message itself (RAW), and returns ECDSA signatures in DER.
ALGORITHMS = {"RSA": "RSASSA_PKCS1_V1_5_SHA_256", "ECC": "ECDSA_SHA_256"}


def kms_signer(kms, key_id):
    """A signer that asks KMS. `kms` needs credentials of its own: those of another session."""
    kind = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeySpec"].partition("_")[0]

    def sign(message: bytes) -> bytes:
        answer = kms.sign(
            KeyId=key_id, Message=message, MessageType="RAW", SigningAlgorithm=ALGORITHMS[kind]
        )
        return answer["Signature"]

    return sign


if __name__ == "__main__":
    session = rolesanywhere.boto3_session(
        trust_anchor_arn=os.environ["AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN"],
        profile_arn=os.environ["AWS_ROLESANYWHERE_PROFILE_ARN"],
        role_arn=os.environ["AWS_ROLESANYWHERE_ROLE_ARN"],
        certificate=sys.argv[1],
        signer=kms_signer(boto3.client("kms"), sys.argv[2]),
    )
    print(session.client("sts").get_caller_identity()["Arn"])
