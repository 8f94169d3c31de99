"""Who signs: a certificate and its private key, from files, from memory, or from a key store.

An identity is resolved anew for every renewal, so that a certificate that is rotated on disk is
picked up without a restart.
"""

from __future__ import annotations

import contextlib
import os

from ._files import open_file
from ._native import CertificateChain, PrivateKey, Signature
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

    #: A path, or the content itself: PEM as ``str``, PEM or DER as ``bytes``.
    Source = Union[str, bytes, bytearray, os.PathLike[str]]
    #: A password, or what returns it (a prompt, a secret store).
    Password = Union[str, bytes, bytearray, Callable[[], Union[str, bytes]]]
    #: Takes the string to sign (or its SHA-256 digest), returns the signature.
    Sign = Callable[[bytes], Union[bytes, Awaitable[bytes]]]
    #: What returns the identity to use now.
    IdentityProvider = Callable[[], Union["Identity", Awaitable["Identity"]]]

#: The longest file that is read, in bytes: a bundle of certificates, or a key in several formats.
MAX_FILE_LENGTH = 1 << 20


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
        certificate: the certificate: a path, or the content. PEM, DER, PKCS#12 or PKCS#7; the
            intermediates may stand in the same file, in any order, and so may the private key.
        private_key: the private key: a path, or the content; PEM, DER or PKCS#12. When it is absent
            and no signer is given, it is looked for in ``certificate``.
        certificate_chain: more intermediates: PEM, DER or PKCS#7.
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
        certificate: Source,
        private_key: Source | None = None,
        *,
        certificate_chain: Source | None = None,
        password: Password | None = None,
        signer: Signer | Sign | None = None,
    ) -> None:
        if signer is not None and private_key is not None:
            raise InvalidInputError("both `private_key` and `signer` are given: pass one of them")
        contents = [
            None if source is None else _read(source, what)
            for source, what in (
                (certificate, "certificate"),
                (private_key, "private key"),
                (certificate_chain, "certificate chain"),
            )
        ]
        try:
            key, chain = _parse(contents, password, signer is None)
        finally:
            for content in contents:
                if content is not None:
                    _wipe(content)
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
        certificate: Source,
        private_key: Source | None,
        certificate_chain: Source | None,
        password: Password | None,
        signer: Signer | Sign | None,
    ) -> None:
        self._sources = (certificate, private_key, certificate_chain)
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
        for path in self._paths():
            with contextlib.suppress(OSError):
                times.append(os.stat(path).st_mtime_ns // 1_000_000)
        return max(times, default=None)

    def _paths(self) -> list[str | os.PathLike[str]]:
        paths: list[str | os.PathLike[str]] = []
        for source in self._sources:
            if isinstance(source, os.PathLike) or (isinstance(source, str) and not _is_pem(source)):
                paths.append(source)
        return paths

    def _stat(self) -> tuple[object, ...]:
        stamp: list[object] = []
        for path in self._paths():
            try:
                status = os.stat(path)
            except OSError:
                stamp.append(None)  # reading it will say what is wrong
            else:
                stamp.append(
                    (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                )
        return tuple(stamp)


def _is_pem(text: str) -> bool:
    return "-----BEGIN" in text


def _read(source: Source, what: str) -> bytearray:
    if isinstance(source, (bytes, bytearray)):
        return bytearray(source)
    if isinstance(source, str) and _is_pem(source):
        return bytearray(source.encode())
    try:
        with open_file(source) as file:
            content = bytearray(min(os.fstat(file.fileno()).st_size, MAX_FILE_LENGTH) + 1)
            length = 0
            while length < len(content):
                count = file.readinto(memoryview(content)[length:])
                if not count:
                    break
                length += count
                if length == len(content) and length <= MAX_FILE_LENGTH:
                    content.extend(bytes(min(65536, MAX_FILE_LENGTH + 1 - length)))
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInputError(
            f"the {what} `{os.fspath(source)!s}` cannot be read: {reason}"
        ) from error
    if length > MAX_FILE_LENGTH:
        raise InvalidInputError(
            f"the {what} `{os.fspath(source)!s}` is longer than {MAX_FILE_LENGTH} bytes: "
            "check that it is the file that is meant"
        )
    del content[length:]
    return content


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
            _wipe(password)


def _password(password: object) -> bytearray | None:
    if password is None:
        return None
    if not isinstance(password, (str, bytes, bytearray)):  # a caller's function may return anything
        raise InvalidInputError(
            f"the password is {type(password).__name__}: pass or return str or bytes"
        )
    return bytearray(password.encode() if isinstance(password, str) else password)


def _wipe(content: bytearray) -> None:
    content[:] = bytes(len(content))
