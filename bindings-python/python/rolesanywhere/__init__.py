"""Temporary AWS credentials from an X.509 certificate: AWS IAM Roles Anywhere for Python.

    import rolesanywhere

    session = rolesanywhere.boto3_session(
        trust_anchor_arn="arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/…",
        profile_arn="arn:aws:rolesanywhere:eu-west-1:123456789012:profile/…",
        role_arn="arn:aws:iam::123456789012:role/reader",
        certificate="client.pem",
        private_key="client.key",
    )
    session.client("s3").list_buckets()

Importing this package imports nothing else: each name below is loaded when it is first used, and
boto3, botocore, aiobotocore, requests and httpx only by what needs them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import aioboto as aioboto
    from . import auth as auth
    from . import boto as boto
    from . import errors as errors
    from . import sigv4 as sigv4
    from .aio import AsyncClient as AsyncClient
    from .boto import boto3_session as boto3_session
    from .boto import botocore_session as botocore_session
    from .boto import install as install
    from .boto import uninstall as uninstall
    from .cache import DiskCache as DiskCache
    from .client import Client as Client
    from .credentials import Credentials as Credentials
    from .errors import AccessDeniedError as AccessDeniedError
    from .errors import InvalidCertificateError as InvalidCertificateError
    from .errors import InvalidInputError as InvalidInputError
    from .errors import InvalidKeyError as InvalidKeyError
    from .errors import InvalidResponseError as InvalidResponseError
    from .errors import KeyMismatchError as KeyMismatchError
    from .errors import PasswordRequiredError as PasswordRequiredError
    from .errors import RequestRejectedError as RequestRejectedError
    from .errors import RolesAnywhereError as RolesAnywhereError
    from .errors import ServiceUnavailableError as ServiceUnavailableError
    from .errors import SigningFailedError as SigningFailedError
    from .errors import ThrottledError as ThrottledError
    from .errors import TransportFailedError as TransportFailedError
    from .errors import UnsupportedError as UnsupportedError
    from .errors import WrongPasswordError as WrongPasswordError
    from .identity import Identity as Identity
    from .identity import Signer as Signer
    from .transport import HttpTransport as HttpTransport

_MODULES = {
    "AsyncClient": "aio",
    "boto3_session": "boto",
    "botocore_session": "boto",
    "install": "boto",
    "uninstall": "boto",
    "DiskCache": "cache",
    "Client": "client",
    "Credentials": "credentials",
    "AccessDeniedError": "errors",
    "InvalidCertificateError": "errors",
    "InvalidInputError": "errors",
    "InvalidKeyError": "errors",
    "InvalidResponseError": "errors",
    "KeyMismatchError": "errors",
    "PasswordRequiredError": "errors",
    "RequestRejectedError": "errors",
    "RolesAnywhereError": "errors",
    "ServiceUnavailableError": "errors",
    "SigningFailedError": "errors",
    "ThrottledError": "errors",
    "TransportFailedError": "errors",
    "UnsupportedError": "errors",
    "WrongPasswordError": "errors",
    "Identity": "identity",
    "Signer": "identity",
    "HttpTransport": "transport",
}

__all__ = [
    "AccessDeniedError",
    "AsyncClient",
    "Client",
    "Credentials",
    "DiskCache",
    "HttpTransport",
    "Identity",
    "InvalidCertificateError",
    "InvalidInputError",
    "InvalidKeyError",
    "InvalidResponseError",
    "KeyMismatchError",
    "PasswordRequiredError",
    "RequestRejectedError",
    "RolesAnywhereError",
    "ServiceUnavailableError",
    "Signer",
    "SigningFailedError",
    "ThrottledError",
    "TransportFailedError",
    "UnsupportedError",
    "WrongPasswordError",
    "boto3_session",
    "botocore_session",
    "install",
    "uninstall",
]


_SUBMODULES = (
    "aio", "aioboto", "auth", "boto", "cache", "client", "credentials", "errors",
    "iam_rolesanywhere_session", "identity", "sigv4", "transport",
)  # fmt: skip


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
