"""Who signs: a certificate and its private key, from files, from memory, or from a key store.

An identity is resolved anew for every renewal, so that a certificate that is rotated on disk is
picked up without a restart.
"""

from __future__ import annotations

import contextlib
import os

from ._native import CertificateChain, Parameter, PrivateKey, Signature
from ._sources import Variable, encoded, path_in, read_file, wipe
from .errors import (
    InvalidInputError,
    PasswordRequiredError,
    SigningFailedError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Literal, Union

    from ._native import UnsignedRequest
    from ._sources import AnySource

    #: A password, or what returns it (a prompt, a secret store).
    Password = Union[str, bytes, bytearray, Callable[[], Union[str, bytes]]]
    #: Takes the string to sign (or its SHA-256 digest), returns the signature.
    Sign = Callable[[bytes], Union[bytes, Awaitable[bytes]]]
    #: What returns the identity to use now.
    IdentityProvider = Callable[[], Union["Identity", Awaitable["Identity"]]]


class Signer:
    """A signer outside this process or library: KMS, PKCS#11, an agent, a TPM.

    Args:
        sign: takes bytes, returns the signature: a function or a coroutine function. It must sign
            with the certificate's key; the signature is verified before it is sent.
        takes: what ``sign`` is given. ``"message"``: the string to sign, which RSA and ECDSA signers
            hash with SHA-256 whatever the curve, and ML-DSA signers take as it is. ``"digest"``: the
            32 bytes of its SHA-256 digest (not for ML-DSA).
        ecdsa: the form of an ECDSA signature. ``"der"``: ASN.1 DER (KMS, OpenSSL, ``cryptography``).
            ``"p1363"``: r and s side by side (PKCS#11, JOSE). RSA signatures are RSASSA-PKCS1-v1_5.
    """

    __slots__ = ("_ecdsa", "_sign", "_takes")

    def __init__(
        self,
        sign: Sign,
        *,
        takes: Literal["message", "digest"] = "message",
        ecdsa: Literal["der", "p1363"] = "der",
    ) -> None:
        if takes not in ("message", "digest"):
            raise InvalidInputError(f"a signer cannot take `{takes}`: pass `message` or `digest`")
        if ecdsa not in ("der", "p1363"):
            raise InvalidInputError(f"`{ecdsa}` is no ECDSA form: pass `der` or `p1363`")
        self._sign = sign
        self._takes = takes
        self._ecdsa = ecdsa

    @property
    def is_coroutine(self) -> bool:
        """Whether the signer is a coroutine function."""
        import inspect

        call = getattr(self._sign, "__call__", None)
        return inspect.iscoroutinefunction(self._sign) or inspect.iscoroutinefunction(call)

    def call(self, request: UnsignedRequest) -> bytes | Awaitable[bytes]:
        """Asks for the signature of a request."""
        if self._takes == "message":
            return self._sign(request.string_to_sign)
        if request.algorithm == "AWS4-X509-MLDSA":
            raise InvalidInputError(
                "ML-DSA signs the message, not a digest: pass a signer that takes `message`"
            )
        return self._sign(request.string_to_sign_sha256)

    def signature(self, request: UnsignedRequest, value: object) -> Signature:
        """What ``call`` returned, once it has proved to be the certificate's signature of the request."""
        if not isinstance(value, (bytes, bytearray)):
            raise SigningFailedError(
                f"the signer returned {type(value).__name__}: return the signature as bytes"
            )
        if request.algorithm == "AWS4-X509-RSA-SHA256":
            signature = Signature.rsa_pkcs1(bytes(value))
        elif request.algorithm == "AWS4-X509-MLDSA":
            signature = Signature.mldsa(bytes(value))
        elif self._ecdsa == "der":
            signature = Signature.ecdsa_der(bytes(value))
        else:
            signature = Signature.ecdsa_p1363(bytes(value))
        request.check_signature(signature)
        return signature


class Identity:
    """A certificate chain and what signs for it. Immutable; may be shared by clients and threads.

    Args:
        certificate: the certificate: a path, or the content. PEM, DER, PKCS#12 or PKCS#7, or base64 of
            these; the intermediates may stand in the same file, in any order, and so may the private key.
            A ``str`` is content when it holds PEM or base64 of such, as ``os.environ`` has it, else a path;
            ``bytes`` are content, a ``pathlib.Path`` is a path.
        private_key: the private key, likewise. When it is absent and no signer is given, it is looked for
            in ``certificate``.
        certificate_chain: more intermediates, likewise.
        password: the password of an encrypted key or of a PKCS#12 file, or a function that returns it;
            called only when there is something to open.
        signer: what signs instead of a private key.

    Raises:
        InvalidCertificateError, InvalidKeyError, UnsupportedError: the content cannot be used.
        KeyMismatchError: the private key is not the certificate's.
        PasswordRequiredError, WrongPasswordError: the key stays shut.
        InvalidInputError: a file cannot be read, or the arguments contradict each other.
    """

    __slots__ = ("chain", "key", "signer")

    def __init__(
        self,
        certificate: AnySource,
        private_key: AnySource | None = None,
        *,
        certificate_chain: AnySource | None = None,
        password: Password | None = None,
        signer: Signer | Sign | None = None,
    ) -> None:
        if signer is not None and private_key is not None:
            raise InvalidInputError("both `private_key` and `signer` are given: pass one of them")
        contents: list[bytearray | None] = []
        try:
            for source, parameter in zip((certificate, private_key, certificate_chain), _PARAMETERS):
                contents.append(None if source is None else _read(source, parameter))
            key, chain = _parse(contents, password, signer is None)
        finally:
            for content in contents:
                if content is not None:
                    wipe(content)
        #: The end entity's certificate and its intermediates.
        self.chain: CertificateChain = chain
        #: The private key; ``None`` with a signer.
        self.key: PrivateKey | None = key
        #: The external signer; ``None`` with a private key.
        self.signer: Signer | None = (
            signer if signer is None or isinstance(signer, Signer) else Signer(signer)
        )

    def __repr__(self) -> str:
        return f"Identity({self.chain.end_entity.subject!r})"


def checked(identity: object) -> Identity:
    """What an identity provider returned, once it proves to be an identity."""
    if not isinstance(identity, Identity):
        raise InvalidInputError(
            f"the identity provider returned {type(identity).__name__}: return an `Identity`"
        )
    return identity


class IdentityFiles:
    """An identity that is read again when one of its files has changed.

    When they cannot be read, ``last`` is the identity before, and ``modified`` says when they changed: the
    core decides whether to read them again or to use the last identity on.
    """

    def __init__(
        self,
        certificate: AnySource,
        private_key: AnySource | None,
        certificate_chain: AnySource | None,
        password: Password | None,
        signer: Signer | Sign | None,
    ) -> None:
        self._sources: tuple[AnySource, AnySource | None, AnySource | None] = (
            certificate,
            private_key,
            certificate_chain,
        )
        paths = map(path_in, self._sources, _PARAMETERS)
        self._paths = [path for path in paths if path is not None]
        self._password = password
        self._signer = signer
        # The identity, and the state of the files that it was read from. One value, so that threads
        # need no lock.
        self._loaded: tuple[Identity, tuple[object, ...]] | None = None

    def __call__(self) -> Identity:
        loaded, stamp = self._loaded, self._stat()
        if loaded is not None and stamp == loaded[1]:
            return loaded[0]
        certificate, private_key, chain = self._sources
        identity = Identity(
            certificate,
            private_key,
            certificate_chain=chain,
            password=self._password,
            signer=self._signer,
        )
        self._loaded = (identity, stamp)
        if not stamp:
            # Nothing can change, so nothing is kept: the key lives in the identity alone.
            self._sources, self._password = (b"", None, None), None
        return identity

    @property
    def last(self) -> Identity | None:
        """The last identity that could be read."""
        return None if self._loaded is None else self._loaded[0]

    def modified(self) -> int | None:
        """When the newest file was modified, in milliseconds since the Unix epoch; ``None`` without files."""
        times: list[int] = []
        for path in self._paths:
            with contextlib.suppress(OSError, ValueError):
                times.append(os.stat(path).st_mtime_ns // 1_000_000)
        return max(times, default=None)

    def _stat(self) -> tuple[object, ...]:
        stamp: list[object] = [
            source.state() for source in self._sources if isinstance(source, Variable)
        ]
        for path in self._paths:
            try:
                status = os.stat(path)
            except (OSError, ValueError):
                stamp.append(None)  # reading it will say what is wrong
            else:
                stamp.append(
                    (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                )
        return tuple(stamp)


#: The arguments that name the parts of an identity.
_PARAMETERS = (
    Parameter("`certificate`", "certificate", in_code=True),
    Parameter("`private_key`", "private key", in_code=True),
    Parameter("`certificate_chain`", "certificate chain", in_code=True),
)


def _read(source: AnySource, parameter: Parameter) -> bytearray:
    if isinstance(source, Variable):
        return source.read()
    if isinstance(source, (bytes, bytearray)):
        return bytearray(source)
    path = path_in(source, parameter)
    if path is not None:
        return read_file(path, parameter)
    if isinstance(source, str):
        return encoded(source)
    # What the annotations rule out, a caller may pass all the same.
    what: str = type(source).__name__
    raise InvalidInputError(
        f"a part of the identity is {what}: pass a path, PEM or base64 as str, or the content as bytes"
    )


def _parse(
    contents: list[bytearray | None], password: Password | None, with_key: bool
) -> tuple[PrivateKey | None, CertificateChain]:
    """The key (of an identity that has one) and the chain. A function is asked for the password only
    when there is something to open."""
    if not callable(password):
        return _parse_with(contents, _password(password), with_key)
    try:
        return _parse_with(contents, None, with_key)
    except PasswordRequiredError:
        return _parse_with(contents, _password(password()), with_key)


def _parse_with(
    contents: list[bytearray | None], password: bytearray | None, with_key: bool
) -> tuple[PrivateKey | None, CertificateChain]:
    certificate, private_key, intermediates = contents
    assert certificate is not None
    try:
        if with_key:
            return PrivateKey.read(certificate, private_key, intermediates, password)
        return None, CertificateChain.read(certificate, intermediates, password)
    finally:
        if password is not None:
            wipe(password)


def _password(password: object) -> bytearray | None:
    if password is None:
        return None
    if not isinstance(password, (str, bytes, bytearray)):  # a caller's function may return anything
        raise InvalidInputError(
            f"the password is {type(password).__name__}: pass or return str or bytes"
        )
    return encoded(password) if isinstance(password, str) else bytearray(password)
