"""Every error of the package: one base class, one class per kind.

The kinds are the same in every language that the project serves; each has a stable ``code``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from ._native import Failure


#: The longest message, in characters: the core's are shorter, and a server decides how long a host's are.
_MAX_MESSAGE_LENGTH = 4096


class RolesAnywhereError(Exception):
    """The base of every error of this package.

    The message names the cause and what to do next, and never holds a secret.

    Attributes:
        code: the kind, a stable snake_case word such as ``"access_denied"``.
        retryable: whether the same request, signed anew, may succeed later.
        message: the message.
        status: the HTTP status, where the service answered.
        service_code: the service's code, ``AccessDeniedException`` for instance.
        service_message: the service's own message.
        request_id: the request id, which AWS support asks for.
        server_time: the server's clock when it answered, in Unix seconds.
        retry_after: how many seconds the service asks to wait.
    """

    code: ClassVar[str] = "unknown"
    retryable: ClassVar[bool] = False
    # What the core knows about the error, for its plan of renewals; `None` after pickling.
    _failure: Failure | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        service_code: str | None = None,
        service_message: str | None = None,
        request_id: str | None = None,
        server_time: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        # A host's exception may quote what a server sent: terminals and logs are given none of it that acts or
        # that is not seen. The core's own messages come escaped.
        message = "".join(map(_printable, message[:_MAX_MESSAGE_LENGTH]))
        if len(message) > _MAX_MESSAGE_LENGTH:
            message = message[:_MAX_MESSAGE_LENGTH] + "…"
        super().__init__(message)
        self.message = message
        self.status = status
        self.service_code = service_code
        self.service_message = service_message
        self.request_id = request_id
        self.server_time = server_time
        self.retry_after = retry_after

    @property
    def status_code(self) -> int | None:
        """``status``, as iam-rolesanywhere-session and the HTTP libraries call it."""
        return self.status

    def failure(self) -> Failure:
        """What the core is told about the error."""
        if self._failure is not None:
            return self._failure
        from ._native import Failure

        return Failure(self.code, self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers hand exceptions to their parents by pickle, which would lose the keywords.
        fields = {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("_failure", "message")
        }
        return (type(self), (self.message,), fields)


class AccessDeniedError(RolesAnywhereError):
    """The service refused (403): check the certificate, the trust anchor, the profile, the role and
    its trust policy."""

    code = "access_denied"


class InvalidCertificateError(RolesAnywhereError):
    """The certificate or its chain cannot be read or used: ask its issuer for another, or convert it."""

    code = "invalid_certificate"


class InvalidInputError(RolesAnywhereError, ValueError):
    """An argument is out of bounds or malformed: correct it."""

    code = "invalid_input"


class InvalidKeyError(RolesAnywhereError):
    """The private key cannot be read: convert it as the message says."""

    code = "invalid_key"


class InvalidResponseError(RolesAnywhereError):
    """The answer is not what the service sends: check the endpoint and what stands between."""

    code = "invalid_response"


class KeyMismatchError(RolesAnywhereError):
    """The private key does not belong to the certificate: pass the pair that does."""

    code = "key_mismatch"


class PasswordRequiredError(RolesAnywhereError):
    """The key is encrypted and no password was given: give one."""

    code = "password_required"


class RequestRejectedError(RolesAnywhereError):
    """The service found the request invalid (400, 404 and other 4xx): correct the request."""

    code = "request_rejected"


class ServiceUnavailableError(RolesAnywhereError):
    """The service failed (5xx): try again later."""

    code = "service_unavailable"
    retryable = True


class SigningFailedError(RolesAnywhereError):
    """The signer could not sign: look at the key store that it uses."""

    code = "signing_failed"


class ThrottledError(RolesAnywhereError):
    """The service asked to slow down (429): try again later, and share sessions."""

    code = "throttled"
    retryable = True


class TransportFailedError(RolesAnywhereError):
    """The request or the answer was lost on the way: check the network, the proxy and the CA bundle."""

    code = "transport_failed"
    retryable = True


class UnsupportedError(RolesAnywhereError):
    """The format or algorithm is known, and refused by name: convert as the message says."""

    code = "unsupported"


class WrongPasswordError(RolesAnywhereError):
    """The password does not open the key: give the right one."""

    code = "wrong_password"


def _printable(character: str) -> str:
    """As the core's ``text::printable``: a space for what ends a line, ``\\u{202e}`` for what is not seen."""
    if character.isprintable():
        return character
    return " " if character in "\t\n\r" else f"\\u{{{ord(character):x}}}"
