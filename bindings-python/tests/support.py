"""A PKI of the tests' own, and servers that misbehave; what `emulator` holds, too."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.x509.oid import NameOID
from emulator import (  # noqa: F401  (for the tests)
    ACCOUNT,
    ARNS,
    CONFIG,
    PROFILE,
    REGION,
    ROLE,
    ROOT,
    TRUST_ANCHOR,
    VECTORS,
    Emulator,
)


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
