#!/usr/bin/env python3
"""Prints sharing.json: keys of shared entries and sealed entries, made without our code.

    pip install cryptography==48.0.0
    python tests/vectors/sharing.py > tests/vectors/sharing.json

The recipe of the key is that of the documentation of the core's module `provider` (`EntryKey`), and the
hash is Python's. Sealed entries are made by OpenSSL, through `cryptography`.
"""

import hashlib
import json
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOLDER = pathlib.Path(__file__).parent / "lifecycle" / "certificates"
ACCOUNT = "arn:aws:rolesanywhere:eu-west-1:123456789012"
ARNS = {
    "trust_anchor_arn": f"{ACCOUNT}:trust-anchor/0d1c5b6e-0000-4000-8000-000000000000",
    "profile_arn": f"{ACCOUNT}:profile/7f3a2c11-0000-4000-8000-000000000000",
    "role_arn": "arn:aws:iam::123456789012:role/team/reader",
}
ENDPOINT = "https://rolesanywhere.eu-west-1.amazonaws.com"
# Parameters beside the ARNs, the file of certificates, what stands for them, the context, the endpoint.
CASES = [
    ({}, "leaf.pem", None, "", ENDPOINT),
    ({"duration_seconds": "900", "role_session_name": "worker@host"}, "leaf.pem", None, "", ENDPOINT),
    ({"duration_seconds": "3600"}, "crossed.pem", None, "", ENDPOINT),
    ({"instance_property.Z": "last", "instance_property.a": "ä\nb", "instance_property.B": "2"}, "leaf.pem", None, "", ENDPOINT),
    ({"endpoint": "http://localhost:8080/a/"}, "leaf.pem", None, "tenant 7", "http://localhost:8080/a"),
    ({"arn_placement": "body"}, "leaf.pem", None, "", ENDPOINT),
    ({}, None, "pkcs11:token=a;object=b", "", ENDPOINT),
    ({"fips": "true"}, None, "sha256:00ff", "no-verify-ssl", "https://rolesanywhere-fips.eu-west-1.amazonaws.com"),
]


def line(name, value):
    return f"{name} {len(value.encode())} {value}\n"


def text_of(parameters, certificates, identity, context, endpoint):
    text = "rolesanywhere session 2\n" + line("endpoint", endpoint) + line("region", "eu-west-1")
    text += "".join(line(name, ARNS[name]) for name in ("trust_anchor_arn", "profile_arn", "role_arn"))
    for name in ("duration_seconds", "role_session_name"):
        if name in parameters:
            text += line(name, parameters[name])
    prefix = "instance_property."
    properties = {name[len(prefix) :]: value for name, value in parameters.items() if name.startswith(prefix)}
    for key in sorted(properties, key=str.encode):
        text += line("instance_property_key", key) + line("instance_property_value", properties[key])
    if identity is None:
        # `crossed.pem` begins with the end entity; its two intermediates are sent in the file's order.
        end_entity, *intermediates = x509.load_pem_x509_certificates((FOLDER / certificates).read_bytes())
        text += line("certificate", end_entity.fingerprint(hashes.SHA256()).hex())
        text += "".join(line("intermediate", other.fingerprint(hashes.SHA256()).hex()) for other in intermediates)
    else:
        text += line("identity", identity)
    return text + (line("context", context) if context else "")


def main():
    keys = []
    for parameters, certificates, identity, context, endpoint in CASES:
        text = text_of(parameters, certificates, identity, context, endpoint)
        key = hashlib.sha256(text.encode()).hexdigest()
        failure = hashlib.sha256(f"rolesanywhere failure 2\n{key}".encode()).hexdigest()
        case = {"parameters": {**ARNS, **parameters}, "certificates": certificates, "identity": identity}
        keys.append({**case, "context": context, "text": text, "key": key, "failure_key": failure})
    sealed = []
    for number, plain in enumerate([b"", b"{}", b'{"version":2,"access_key_id":"ASIA\xc3\xa4"}', bytes(1000)]):
        sealing_key = hashlib.sha256(b"sealing key %d" % number).digest()
        nonce = hashlib.sha256(b"nonce %d" % number).digest()[:12]
        key = keys[number]["key"]
        entry = b"\x02" + nonce + AESGCM(sealing_key).encrypt(nonce, plain, key.encode())
        texts = {"sealing_key": sealing_key, "nonce": nonce, "plain": plain, "sealed": entry}
        sealed.append({"key": key, **{name: value.hex() for name, value in texts.items()}})
    print(json.dumps({"keys": keys, "sealed": sealed}, indent=1, ensure_ascii=False))


main()
