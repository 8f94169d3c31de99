"""The emulator as a process, a PKI of the tests' own, and servers that misbehave."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import json
import os
import pathlib
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.x509.oid import NameOID

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
ACCOUNT = "123456789012"
REGION = "eu-west-1"
ANCHOR_ID = "11111111-1111-4111-8111-111111111111"
PROFILE_ID = "22222222-2222-4222-8222-222222222222"
TRUST_ANCHOR = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}:trust-anchor/{ANCHOR_ID}"
PROFILE = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}:profile/{PROFILE_ID}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
ARNS = {"trust_anchor_arn": TRUST_ANCHOR, "profile_arn": PROFILE, "role_arn": ROLE}

CONFIG = f"""
account = "{ACCOUNT}"
region = "{REGION}"
[[trust_anchor]]
name = "ca"
id = "{ANCHOR_ID}"
pem_file = "ca.pem"
[[profile]]
name = "app"
id = "{PROFILE_ID}"
roles = ["app"]
duration_seconds = 43200
accept_role_session_name = true
[[role]]
name = "app"
max_session_duration = 43200
[[role]]
name = "other"
"""


def new_key(kind):
    """A private key: `rsa`, `p256`, `p384`, `p521`, `mldsa44`, `mldsa65`, `mldsa87` or `ed25519`."""
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("mldsa"):
        return getattr(mldsa, f"{kind.upper()}PrivateKey").generate()
    curve = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}[kind]
    return ec.generate_private_key(curve)


def key_pem(key, password=None):
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


class Authority:
    """A CA of the tests'."""

    def __init__(self, name="Test CA", parent=None):
        self.key = new_key("p256")
        self.certificate = self._issue(name, self.key.public_key(), parent or self, ca=True)

    def _issue(self, name, public_key, issuer, *, ca, days=2, serial=None):
        now = datetime.datetime.now(datetime.timezone.utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is self and ca else issuer.certificate.subject)
            .public_key(public_key)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not ca,
                    key_cert_sign=ca,
                    crl_sign=ca,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        return builder.sign(issuer.key, hashes.SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name="client", kind="p256", key=None, public_key=None, **options):
        """A certificate and its private key (`None` with a public key), both PEM."""
        if public_key is None:
            key = key or new_key(kind)
            public_key = key.public_key()
        certificate = self._issue(name, public_key, self, ca=False, **options)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return pem, None if key is None else key_pem(key)


class Emulator:
    """The emulator, on a clock of its own."""

    def __init__(self, folder, ca_pem, *, tls=False, config=CONFIG):
        program = os.environ.get(
            "ROLESANYWHERE_TEST_EMULATOR", str(ROOT / "target" / "debug" / "examples" / "emulator")
        )
        if not os.path.exists(program):
            raise FileNotFoundError(
                f"{program}: build it with `cargo build -p rolesanywhere-python --example emulator`"
            )
        (folder / "ca.pem").write_bytes(ca_pem)
        (folder / "emulator.toml").write_text(config)
        self._process = subprocess.Popen(
            [program, str(folder / "emulator.toml"), *(["tls"] if tls else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.Lock()
        started = json.loads(self._process.stdout.readline())
        self.endpoint = started["endpoint"]
        self.ca_pem = started["ca_pem"]
        self.offset = 0

    def _ask(self, line):
        with self._lock:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def advance(self, seconds):
        """Moves the emulator's clock and `clock`."""
        self.offset += seconds
        return self._ask(f"advance {seconds}")

    def clock(self):
        return time.time() + self.offset

    def records(self):
        return self._ask("records")

    def sessions(self):
        """How many CreateSession calls have succeeded."""
        return sum(
            record["operation"] == "CreateSession" and record["refused"] is None
            for record in self.records()
        )

    def calls(self):
        """How many CreateSession calls have come."""
        return sum(record["operation"] == "CreateSession" for record in self.records())

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()


@contextlib.contextmanager
def server(answer):
    """A server on loopback whose answers `answer(path, headers, body)` makes: status, headers, body,
    or `None` to close without one. Yields its URL and the list of requests: path, headers with names
    in lower case, body."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            requests.append((self.path, headers, body))
            made = answer(self.path, self.headers, body)
            if made is None:
                self.close_connection = True
                return
            status, headers, content = made
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST

        def log_message(self, *arguments):
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}", requests
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
