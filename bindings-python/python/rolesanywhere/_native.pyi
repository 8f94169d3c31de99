"""The core's protocol: no HTTP, no clock, no files. Use the package; this is what it stands on.

Times are Unix seconds. Every function raises a subclass of ``rolesanywhere.RolesAnywhereError``.
"""

from typing import Any, NoReturn, Optional, final

__all__ = [
    "Action",
    "Advice",
    "Certificate",
    "CertificateChain",
    "CreateSession",
    "Failure",
    "HttpRequest",
    "Parameter",
    "PrivateKey",
    "Provider",
    "Session",
    "Signature",
    "SigningKey",
    "UnsignedRequest",
    "host_scope",
    "is_s3",
]

def host_scope(host: str, /) -> tuple[Optional[str], Optional[str]]: ...
def is_s3(service: str, /) -> bool: ...

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
        **parameters: object,
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
    def signature(self, key: PrivateKey) -> Signature: ...
    def check_signature(self, signature: Signature) -> None: ...
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
class Advice:
    """What a caller who wants credentials is to do: ``use``, ``use_and_drive``, ``drive``, ``wait`` or
    ``fail``. The window is ``since``, ``until`` and the monotonic clock's ``until``, in milliseconds."""

    @property
    def kind(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def window(self) -> Optional[tuple[int, int, Optional[int]]]: ...
    @property
    def session(self) -> Optional[Session]: ...

@final
class Action:
    """What a driver is to do. A field that its kind does not have is ``None``."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def request(self) -> Any: ...
    @property
    def key(self) -> Optional[str]: ...
    @property
    def entry(self) -> Optional[bytes]: ...
    @property
    def ttl(self) -> Optional[float]: ...
    @property
    def lease(self) -> Optional[float]: ...
    @property
    def window(self) -> Optional[tuple[int, int, Optional[int]]]: ...
    @property
    def session(self) -> Optional[Session]: ...
    @property
    def note(self) -> Optional[str]: ...
    @property
    def message(self) -> Optional[str]: ...
    @property
    def is_warning(self) -> bool: ...

@final
class Provider:
    """The lifecycle of credentials, without IO. ``wall`` is milliseconds since the Unix epoch by the
    host's clock, ``monotonic`` milliseconds by a clock that is never set."""

    def __new__(
        cls,
        call: CreateSession,
        seed: int,
        *,
        policy: Optional[dict[str, float]] = None,
        locks: Optional[bool] = None,
        propagation: float = 0.0,
        cold_spread: float = 0.0,
        identity: Optional[str] = None,
        context: str = "",
        machine: Optional[str] = None,
        counts_sleep: bool = False,
    ) -> Provider: ...
    def one_shot(self, seed: int) -> Provider: ...
    def ask(self, wall: int, monotonic: Optional[int]) -> Advice: ...
    def is_due(self, wall: int, monotonic: Optional[int]) -> bool: ...
    def is_valid(self, wall: int, monotonic: Optional[int]) -> bool: ...
    def valid_for(self, wall: int, monotonic: Optional[int]) -> float: ...
    def ends_at(self, wall: int, monotonic: Optional[int]) -> Optional[int]: ...
    def session(self) -> Optional[Session]: ...
    def error(self) -> Any: ...
    def poll(self, wall: int, monotonic: Optional[int]) -> Optional[Action]: ...
    def tick(self, wall: int, monotonic: Optional[int]) -> None: ...
    def timed_out(self, wall: int, monotonic: Optional[int], id: int) -> None: ...
    def cancelled(self, wall: int, monotonic: Optional[int]) -> None: ...
    def refresh(self, wall: int, monotonic: Optional[int]) -> None: ...
    def resumed(self, wall: int, monotonic: Optional[int]) -> None: ...
    def forked(self, wall: int, monotonic: Optional[int], seed: int) -> bool: ...
    def identity_loaded(
        self, wall: int, monotonic: Optional[int], id: int, chain: CertificateChain
    ) -> None: ...
    def identity_failed(
        self,
        wall: int,
        monotonic: Optional[int],
        id: int,
        failure: Failure,
        modified: Optional[int],
        last: Optional[CertificateChain],
    ) -> None: ...
    def signed(
        self, wall: int, monotonic: Optional[int], id: int, signature: Signature
    ) -> None: ...
    def sign_failed(
        self, wall: int, monotonic: Optional[int], id: int, failure: Failure
    ) -> None: ...
    def answered(
        self,
        wall: int,
        monotonic: Optional[int],
        id: int,
        status: int,
        headers: list[tuple[str, str]],
        body: bytes | bytearray,
    ) -> None: ...
    def not_answered(
        self, wall: int, monotonic: Optional[int], id: int, loss: str, failure: Failure
    ) -> None: ...
    def loaded(
        self, wall: int, monotonic: Optional[int], id: int, entry: Optional[bytes | bytearray]
    ) -> None: ...
    def unreadable(self, wall: int, monotonic: Optional[int], id: int) -> None: ...
    def locked(self, wall: int, monotonic: Optional[int], id: int) -> None: ...
    def lock_held(self, wall: int, monotonic: Optional[int], id: int) -> None: ...
    def lock_lost(self, wall: int, monotonic: Optional[int]) -> None: ...
    def stored(self, wall: int, monotonic: Optional[int], id: int) -> None: ...
    def unlocked(self, wall: int, monotonic: Optional[int], id: int) -> None: ...
    def store_failed(
        self, wall: int, monotonic: Optional[int], id: int, failure: Failure
    ) -> None: ...

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
        express: bool,
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
