"""The core's protocol: no HTTP, no clock, no files. Use the package; this is what it stands on.

Times are Unix seconds. Every function raises a subclass of ``rolesanywhere.RolesAnywhereError``.
"""

from typing import NoReturn, Optional, final

__all__ = [
    "Certificate",
    "CertificateChain",
    "CreateSession",
    "Failure",
    "HttpRequest",
    "Parameter",
    "PrivateKey",
    "Renewal",
    "Session",
    "Signature",
    "SigningKey",
    "UnsignedRequest",
]

@final
class Failure:
    """What the core knows about an error."""

    def __new__(cls, code: str, message: str) -> Failure: ...
    @staticmethod
    def kinds() -> list[tuple[str, bool]]: ...

@final
class Parameter:
    """A parameter that says where a part of the identity is: how the user writes it, which part it is for
    (``certificate``, ``certificate chain``, ``password``, ``private key``), and whether it is an argument in code,
    where a text is content or a path."""

    def __new__(cls, name: str, part: str, *, in_code: bool) -> Parameter: ...
    def source(self, value: str) -> tuple[str, Optional[str]]:
        """Where the content is: ``("content", None)``, ``("path", None)``, ``("variable", NAME)``, or
        ``("stream", None)`` for standard input and descriptors."""
    def refuse_unreadable(self, value: str, found: bool, reason: str) -> NoReturn:
        """Raises the error for a file that cannot be read. It shows the value only when it cannot be a secret."""
    def refuse_unset(self) -> NoReturn:
        """Raises the error for a variable that is unset."""
    def refuse_stream(self) -> NoReturn:
        """Raises the error for standard input and descriptors, which a library does not read."""

@final
class Certificate:
    """An X.509 certificate, read and not verified."""

    @property
    def serial_decimal(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def not_before(self) -> int: ...
    @property
    def not_after(self) -> int: ...
    @property
    def fingerprint_sha256(self) -> str: ...
    @property
    def key_algorithm(self) -> str: ...
    @property
    def der(self) -> bytes: ...

@final
class CertificateChain:
    """The end entity's certificate with its intermediates."""

    @staticmethod
    def read(
        certificate: bytes | bytearray,
        intermediates: Optional[bytes | bytearray] = None,
        password: Optional[bytes | bytearray] = None,
    ) -> CertificateChain: ...
    @property
    def end_entity(self) -> Certificate: ...
    @property
    def intermediates(self) -> list[Certificate]: ...

@final
class PrivateKey:
    """A private key, ready to sign; it never leaves the object. ``bytearray`` arguments may be wiped
    by the caller afterwards."""

    @staticmethod
    def read(
        certificate: bytes | bytearray,
        private_key: Optional[bytes | bytearray] = None,
        intermediates: Optional[bytes | bytearray] = None,
        password: Optional[bytes | bytearray] = None,
    ) -> tuple[PrivateKey, CertificateChain]: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def signing_algorithm(self) -> str: ...
    def sign(self, message: bytes) -> bytes: ...

@final
class CreateSession:
    """A call of CreateSession whose parameters have been checked."""

    def __new__(
        cls,
        trust_anchor_arn: str,
        profile_arn: str,
        role_arn: str,
        *,
        region: Optional[str] = None,
        endpoint: Optional[str] = None,
        fips: bool = False,
        dual_stack: bool = False,
        duration_seconds: Optional[int] = None,
        role_session_name: Optional[str] = None,
        instance_properties: Optional[dict[str, str]] = None,
        arn_placement: str = "query",
    ) -> CreateSession: ...
    @property
    def endpoint_url(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def partition(self) -> str: ...
    def prepare(self, chain: CertificateChain, now: int) -> UnsignedRequest: ...

@final
class Signature:
    """A signature in the form that its constructor names."""

    @staticmethod
    def ecdsa_der(der: bytes) -> Signature: ...
    @staticmethod
    def ecdsa_p1363(r_s: bytes) -> Signature: ...
    @staticmethod
    def rsa_pkcs1(signature: bytes) -> Signature: ...
    @staticmethod
    def mldsa(signature: bytes) -> Signature: ...

@final
class UnsignedRequest:
    """A request that lacks its signature."""

    @property
    def algorithm(self) -> str: ...
    @property
    def canonical_request(self) -> str: ...
    @property
    def string_to_sign(self) -> bytes: ...
    @property
    def string_to_sign_sha256(self) -> bytes: ...
    def sign(self, key: PrivateKey) -> HttpRequest: ...
    def with_signature(self, signature: Signature) -> HttpRequest: ...

@final
class HttpRequest:
    """A signed request, to be sent as it is; ``host`` is the URL's."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def body(self) -> bytes: ...

@final
class Session:
    """What the service answered."""

    @staticmethod
    def from_response(
        status: int, headers: list[tuple[str, str]], body: bytes | bytearray
    ) -> Session: ...
    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...
    @property
    def session_token(self) -> str: ...
    @property
    def expiration(self) -> int: ...
    @property
    def account_id(self) -> Optional[str]: ...
    @property
    def role_arn(self) -> Optional[str]: ...
    @property
    def assumed_role_arn(self) -> Optional[str]: ...
    @property
    def source_identity(self) -> Optional[str]: ...
    @property
    def subject_arn(self) -> Optional[str]: ...
    @property
    def request_id(self) -> Optional[str]: ...

@final
class Renewal:
    """Decides when to renew, by the caller's clock."""

    def __new__(
        cls,
        jitter: int,
        background_window: Optional[int] = None,
        mandatory_window: Optional[int] = None,
    ) -> Renewal: ...
    def next(self, now: int) -> tuple[str, Optional[int]]: ...
    def is_valid(self, now: int) -> bool: ...
    def renewed(self, now: int, session: Session) -> None: ...
    def restored(self, now: int, expiration: int) -> None: ...
    def failed(self, now: int, failure: Failure) -> None: ...
    def signing_time(self, now: int) -> int: ...

@final
class SigningKey:
    """The HMAC signing key of one access key for one day, region and service."""

    def __new__(
        cls,
        access_key_id: str,
        secret_access_key: str,
        session_token: Optional[str],
        now: int,
        region: str,
        service: str,
        s3: bool,
    ) -> SigningKey: ...
    def covers(self, now: int) -> bool: ...
    def sign_headers(
        self,
        method: str,
        path: str,
        query: str,
        headers: list[tuple[str, str]],
        body: Optional[bytes],
        now: int,
    ) -> list[tuple[str, str]]: ...
    def presign(
        self,
        method: str,
        path: str,
        query: str,
        headers: list[tuple[str, str]],
        body: Optional[bytes],
        now: int,
        expires: int,
    ) -> str: ...
