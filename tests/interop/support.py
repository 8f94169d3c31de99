"""The emulator as a process, and a PKI of the tests' own."""

import contextlib
import datetime
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ACCOUNT = "123456789012"
REGION = "eu-west-1"
BINARY = os.environ["ROLESANYWHERE_BINARY"]

TRUST_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "rolesanywhere.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        }
    ],
}


class Authority:
    """A CA that meets the service's rules for trust anchors."""

    def __init__(self, name="Test CA", can_sign=True):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._issue(self.name, self.key.public_key(), ca=True, can_sign=can_sign)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _issue(self, subject, public_key, *, ca, can_sign=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not ca, key_cert_sign=can_sign, crl_sign=ca, **usage
                ),
                critical=True,
            )
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, name="client"):
        """A certificate, and it and its private key in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab, Ltd"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        certificate = self._issue(subject, key.public_key(), ca=False)
        return (
            certificate,
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def crl(self, *serials):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(now - datetime.timedelta(hours=1))
            .next_update(now + datetime.timedelta(days=1))
        )
        for serial in serials:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            )
        return builder.sign(self.key, hashes.SHA256())


class Emulator:
    """`rolesanywhere emulate`, until it is closed."""

    def __init__(self, folder: pathlib.Path, config="", state=None):
        folder.mkdir(exist_ok=True)
        self.log = folder / "emulator.log"
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        toml = folder / "emulator.toml"
        toml.write_text(f'account = "{ACCOUNT}"\nregion = "{REGION}"\n{config}')
        command = [BINARY, "emulate", "--config", str(toml), "--ready-file", str(ready)]
        command += ["--ca-file", str(folder / "tls.pem")]
        if state:
            command += ["--state", str(state)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not ready.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "the emulator does not start"
            time.sleep(0.02)
        told = json.loads(ready.read_text())
        self.endpoint, self.ca_file = told["endpoint"], told["ca_file"]
        self.host = self.endpoint.removeprefix("https://")

    def close(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)

    def test_api(self, method, path, body=None):
        """A call of the test API: status and JSON."""
        import ssl

        request = urllib.request.Request(
            f"{self.endpoint}/_emulator/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        context = ssl.create_default_context(cafile=self.ca_file)
        try:
            with urllib.request.urlopen(request, context=context) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@contextlib.contextmanager
def refused(code, status, text=""):
    """The block must end in this error of a service."""
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error
        assert text in error.response["Error"]["Message"], error
        return
    raise AssertionError(f"no {code}")
