#!/usr/bin/env python3
"""Writes the tables of what every third-party container file holds.

    expected/make.py ROOT TABLE FOLDER…

For every file under ROOT/FOLDER… a line of TABLE: the file, what it is read as, the password, and the
outcome: SHA-256 of the SubjectPublicKeyInfo in DER, or the kind of the error. The hashes are what
`openssl` (3.0 or later, with its legacy provider) and the Python package `cryptography` say; the core
has no part in it. Where both refuse a file, or the core is meant to differ, JUDGED says what is expected
and why.
"""

import fnmatch
import hashlib
import pathlib
import subprocess
import sys

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

PASSWORDS = [
    None, "", "123456", "a123456", "password", "foobar", "baz", "hunter2", "hunter42", "cryptography",
    "PolarSSLTest", "Red Hat Enterprise Linux 7.4", "changeit", "1234", "secret", "test", "12345678",
]

# File pattern, outcome, reason. Each stands for what RFC, house rule or service says of the file.
JUDGED = [
    ("*/PKCS8/bad-encryption-oid.pem", "unsupported", "an OID that is no encryption scheme"),
    ("*/PKCS8/bad-oid-dsa-key.pem", "unsupported", "an OID that is no kind of key"),
    ("*/PKCS8/ec-inconsistent-curve*.pem", "invalid_key", "PKCS#8 and the key in it name two curves"),
    ("*/PKCS8/ec-invalid-private-scalar.pem", "invalid_key", "the scalar is not below the order"),
    ("*/PKCS8/ec-invalid-version.pem", "invalid_key", "RFC 5915 knows version 1 only"),
    ("*/PKCS8/invalid-version.der", "invalid_key", "RFC 5958 knows versions 0 and 1 only"),
    ("*/PKCS8/enc-ec-sha1-128-rc4.pem", "unsupported", "RC4, refused by name"),
    ("*/PKCS8/enc-rsa-pkcs8-pbkdf2-0iter.pem", "invalid_key", "no iteration at all"),
    ("*/PKCS8/enc-unknown-*.pem", "unsupported", "unknown scheme, KDF, PRF"),
    ("*/PKCS8/rsa-rc2-cbc-effective-key-length.pem", "unsupported", "RC2 whose key is longer than it counts"),
    ("*/PKCS8/unknown-oid.der", "unsupported", "an OID that is no kind of key"),
    ("*/PKCS8/withdompar_private.pkcs8.pem", "unsupported", "explicit curve parameters"),
    ("*/key1-malformed-dek-info.pem", "invalid_key", "no IV in DEK-Info"),
    ("*/key1-malformed-iv.pem", "invalid_key", "an IV that is not hexadecimal"),
    ("*/key1-no-dek-info.pem", "invalid_key", "no DEK-Info"),
    ("*/key1-short-iv.pem", "invalid_key", "an IV shorter than a block"),
    ("*/rsa-wrong-version.pem", "invalid_key", "RFC 8017 knows versions 0 and 1 only"),
    ("*/pkcs12/*DSAParameter*.p12", "unsupported", "DSA with parameters of another certificate"),
    ("pkcs1-*/rsa2048-priv-3prime.*", "unsupported", "three primes, refused by name"),
    ("pkcs5-*/pbes2_*_algid*.der", "invalid_key", "a bare AlgorithmIdentifier"),
    ("pkcs5-*/pbes2_*_ciphertext.bin", "invalid_key", "a bare ciphertext"),
    ("pkcs8-*/bign256-priv.*", "unsupported", "a curve of Belarus"),
    ("pkcs8-*/ed25519-encpriv-aes256-scrypt.der", "unsupported", "Ed25519; OpenSSL's decoder limits scrypt to less"),
    ("pkcs8-*/ed25519-priv-pkcs8v2.*", "unsupported", "Ed25519; OpenSSL reads no version 1"),
    ("*/InvalidNegativeSerialNumberTest15EE.p12", "invalid_certificate", "the service's Credential cannot carry the sign of an end entity's"),
    ("*/custom/ec_no_named_curve.pem", "unsupported", "explicit curve parameters"),
    ("*/custom/invalid_version.pem", "invalid_certificate", "RFC 5280 knows versions 1 to 3 only"),
    ("*/custom/long-form-name-attribute.pem", "invalid_certificate", "an attribute with a length too long"),
    ("*/custom/mismatch_inner_outer_sig_algorithm.der", "invalid_certificate", "RFC 5280, 4.1.1.2"),
    ("*/custom/rsa_pss_cert_*.der", "invalid_certificate", "two signature algorithms that differ"),
    ("*/custom/two_basic_constraints.pem", "invalid_certificate", "RFC 5280, 4.2: one of each extension"),
    ("x509-cert-*.ta", "invalid_certificate", "TrustAnchorInfo of RFC 5914, no certificate"),
]

# Passwords of files that neither opens.
JUDGED_PASSWORDS = {
    "DSAParametersInheritedCACert.p12": "password",
    "ValidDSAParameterInheritanceTest5EE.p12": "password",
    "ed25519-encpriv-aes256-scrypt.der": "hunter42",
}


def main():
    root, table, folders = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    lines = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".rs", ".sh", ".py"):
                lines.append(line(root, path))
    pathlib.Path(table).write_text("".join(lines))


def line(root, path):
    name = str(path.relative_to(root))
    form, password, outcome = expected(path)
    for pattern, judged, _reason in JUDGED:
        if fnmatch.fnmatch(name, pattern):
            outcome = judged
    password = JUDGED_PASSWORDS.get(path.name, password)
    if outcome is None:
        print(f"neither openssl nor cryptography reads {name} as a {form}: judge it", file=sys.stderr)
        outcome = "?"
    password = "-" if password is None else f'"{password}"'
    return f"{name}\t{form}\t{password}\t{outcome}\n"


def expected(path):
    data = path.read_bytes()
    if path.suffix in (".p12", ".pfx"):
        return ("pkcs12", *identity(path, data))
    is_certificate = "x509" in str(path) or b"CERTIFICATE" in data or path.suffix in (".crt", ".crl", ".ta")
    password, outcome = key(path, data)
    if outcome is None and b"PRIVATE KEY" not in data:
        found = certificate(path, data)
        if found or is_certificate:
            return ("certificate", None, found)
    return ("key", password, outcome)


def openssl(*arguments):
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 and done.stdout else None


def inform(data):
    return ("-inform", "PEM" if b"-----BEGIN" in data else "DER")


def key(path, data):
    read = ("pkey", "-provider", "default", "-provider", "legacy", "-in", path, *inform(data))
    for password in PASSWORDS:
        source = ("-passin", f"pass:{password or ''}")
        found = openssl(*read, *source, "-pubout", "-outform", "DER")
        if found:
            encrypted = openssl(*read, "-passin", "pass:surely not this", "-pubout") is None
            return (password or "") if encrypted else None, outcome_of(found)
    # Public keys are no private ones.
    return None, "invalid_key" if openssl(*read, "-pubin", "-pubout") else None


def certificate(path, data):
    found = openssl("x509", "-in", path, *inform(data), "-noout", "-pubkey")
    if found:
        return outcome_of(found)
    for other in ("crl", "req"):
        if openssl(other, "-in", path, *inform(data), "-outform", "PEM"):
            return "invalid_certificate"
    # `cryptography` reads a key where a name is malformed.
    try:
        load = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
        return outcome_of(encode(load(data).public_key()))
    except UnsupportedAlgorithm:
        return "unsupported"
    except ValueError:
        return None


def identity(path, data):
    for password in PASSWORDS:
        try:
            found = pkcs12.load_pkcs12(data, None if password is None else password.encode())
        except ValueError:
            continue
        certificates = [c.certificate for c in [found.cert, *found.additional_certs] if c]
        if found.key is None:
            return password, "invalid_key"
        spki = encode(found.key.public_key())
        if outcome_of(spki) == "unsupported":
            return password, "unsupported"
        if not certificates:
            return password, "invalid_certificate"
        if not any(encode(c.public_key()) == spki for c in certificates):
            return password, "key_mismatch"
        return password, outcome_of(spki)
    return None, None


def encode(public_key):
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def outcome_of(spki):
    """The hash, or `unsupported` for a kind of key that the service does not take."""
    load = serialization.load_pem_public_key if spki.startswith(b"-----") else serialization.load_der_public_key
    try:
        public_key = load(spki)
    except Exception:  # a kind that `cryptography` does not know
        return "unsupported"
    taken = (isinstance(public_key, rsa.RSAPublicKey) and 2048 <= public_key.key_size <= 8192) or (
        isinstance(public_key, ec.EllipticCurvePublicKey)
        and public_key.curve.name in ("secp256r1", "secp384r1", "secp521r1")
    )
    # RSA restricted to PSS has another identifier, which `cryptography` drops.
    der = openssl_der(spki)
    if not taken or bytes.fromhex("06092a864886f70d01010a") in der[:40]:
        return "unsupported"
    return hashlib.sha256(encode(public_key)).hexdigest()


def openssl_der(spki):
    form = "PEM" if spki.startswith(b"-----") else "DER"
    command = ["openssl", "pkey", "-pubin", "-inform", form, "-outform", "DER"]
    return subprocess.run(command, input=spki, capture_output=True).stdout


main()
