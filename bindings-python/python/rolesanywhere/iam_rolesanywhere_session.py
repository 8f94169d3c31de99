"""``IAMRolesAnywhereSession`` and ``IAMRolesAnywhereSigner`` with the parameters and the meaning of the
package ``iam-rolesanywhere-session`` 3.0: change the import, keep the rest.

    from rolesanywhere.iam_rolesanywhere_session import IAMRolesAnywhereSession

What differs, on purpose: the region follows from the trust anchor's ARN when it is not passed; the
declared algorithm is the key's own; a session of 15 minutes is not renewed at every use; a
certificate that changes on disk is picked up; failures are retried; a key that does not belong to
the certificate is refused at once; a full chain in ``certificate`` is sent whole; and secrets are
never logged.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from typing import Dict, TypedDict, Union

import botocore.auth
import botocore.session

from .boto import BotocoreTransport, RolesAnywhereCredentials, attach
from .client import Client
from .errors import InvalidInputError, RolesAnywhereError, UnsupportedError
from .identity import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import boto3
    import botocore.awsrequest

    from ._native import Certificate
    from ._sources import Source

MIN_SESSION_DURATION = 900
MAX_SESSION_DURATION = 43200

# The names of that package's exceptions, for the `except` clauses that there are.
IAMRolesAnywhereError = RolesAnywhereError
CredentialsRetrievalError = RolesAnywhereError
InvalidSessionDurationError = InvalidInputError
UnsupportedPrivateKeyError = UnsupportedError
UnsupportedFipsEndpointError = InvalidInputError

__all__ = [
    "MAX_SESSION_DURATION",
    "MIN_SESSION_DURATION",
    "AdditionalProxyConfig",
    "CredentialsRetrievalError",
    "IAMCredentials",
    "IAMRolesAnywhereError",
    "IAMRolesAnywhereSession",
    "IAMRolesAnywhereSigner",
    "InstanceProperties",
    "InvalidSessionDurationError",
    "ProxyConfig",
    "UnsupportedFipsEndpointError",
    "UnsupportedPrivateKeyError",
]


InstanceProperties = Dict[str, str]


class IAMCredentials(TypedDict):
    """What a renewal returns to botocore."""

    access_key: str
    secret_key: str
    token: str
    expiry_time: str


class ProxyConfig(TypedDict, total=False):
    """Proxies by the scheme of what they are used for, as ``botocore.config.Config`` takes them."""

    http: str
    https: str


class AdditionalProxyConfig(TypedDict, total=False):
    """Further settings of proxies, as ``botocore.config.Config`` takes them."""

    proxy_ca_bundle: str
    proxy_client_cert: Union[str, "tuple[str, str]"]
    proxy_use_forwarding_for_https: bool


class IAMRolesAnywhereSession:
    """Makes boto3 sessions and refreshable credentials from a certificate.

    Args:
        profile_arn, role_arn, trust_anchor_arn: the ARNs.
        certificate, private_key, certificate_chain: paths, or PEM itself, or base64 of it, as ``bytes`` or
            ``str``.
        private_key_passphrase: the key's password.
        session_duration: in seconds, 900 to 43200; always sent.
        region: the trust anchor's when absent; no other is accepted.
        service_name: ``rolesanywhere``; no other is accepted.
        endpoint: a host (``https`` and ``/sessions`` are added), or a whole URL.
        verify: whether to check the server's certificate, or a CA bundle.
        proxies, proxies_config: as botocore's ``Config`` takes them.
        role_session_name, instance_properties: as the service takes them.
        use_fips_endpoint: whether to use the FIPS endpoint.

    Raises:
        RolesAnywhereError: a subclass says why.
    """

    def __init__(
        self,
        profile_arn: str,
        role_arn: str,
        trust_anchor_arn: str,
        certificate: Source,
        private_key: Source,
        certificate_chain: Source | None = None,
        private_key_passphrase: str | None = None,
        session_duration: int = 3600,
        region: str | None = None,
        service_name: str = "rolesanywhere",
        endpoint: str | None = None,
        verify: bool | str = True,
        proxies: Mapping[str, str] | None = None,
        proxies_config: Mapping[str, Any] | None = None,
        role_session_name: str | None = None,
        instance_properties: Mapping[str, str] | None = None,
        use_fips_endpoint: bool = False,
    ) -> None:
        if service_name != "rolesanywhere":
            raise InvalidInputError(f"the service `{service_name}` is not `rolesanywhere`")
        # The key and its password are not kept.
        self.certificate = certificate
        self.certificate_chain = certificate_chain
        self.profile_arn = profile_arn
        self.role_arn = role_arn
        self.trust_anchor_arn = trust_anchor_arn
        self.session_duration = session_duration
        self.service_name = service_name
        self.verify = verify
        self.proxies = proxies
        self.proxies_config = proxies_config
        self.role_session_name = role_session_name
        self.instance_properties = instance_properties
        session = botocore.session.Session()
        url = f"https://{endpoint}" if endpoint and "://" not in endpoint else endpoint
        self._client = Client(
            trust_anchor_arn,
            profile_arn,
            role_arn,
            certificate,
            private_key,
            certificate_chain=certificate_chain,
            password=private_key_passphrase,
            region=region,
            endpoint=url,
            fips=use_fips_endpoint,
            duration_seconds=session_duration,
            role_session_name=role_session_name,
            instance_properties=instance_properties,
            transport=BotocoreTransport(
                session,
                verify=None if verify is True else verify,
                proxies=proxies,
                proxies_config=proxies_config,
            ),
        )
        self.region_name = self._client.region
        self.endpoint = self._client.endpoint

    def get_session(self, **kwargs: Any) -> boto3.session.Session:
        """A boto3 session with these credentials, ``verify`` and the proxies.

        Args:
            kwargs: configuration variables of the botocore session, ``region`` for instance.
        """
        import boto3
        from botocore.config import Config

        session = botocore.session.Session()
        for name, value in {"region": self.region_name, **kwargs}.items():
            session.set_config_variable(name, value)
        if self.proxies is not None or self.proxies_config is not None:
            proxies_config: Any = self.proxies_config
            config = Config(
                proxies=None if self.proxies is None else dict(self.proxies),
                proxies_config=proxies_config,
            )
            session.set_default_client_config(config)
        if isinstance(self.verify, str):
            session.set_config_variable("ca_bundle", self.verify)
        attach(session, self._client)
        if self.verify is not False:
            return boto3.session.Session(botocore_session=session)

        class Session(boto3.session.Session):
            """boto3 has no setting of a session's that turns the check off, only of a client's."""

            def client(self, *args: Any, **options: Any) -> Any:
                if len(args) < 5 and options.get("verify") is None:
                    options["verify"] = False
                make: Any = getattr(super(), "client")
                return make(*args, **options)

        return Session(botocore_session=session)

    def get_refreshable_credentials(self) -> RolesAnywhereCredentials:
        """botocore's refreshable credentials, renewed when they are used."""
        return RolesAnywhereCredentials(self._client)


class IAMRolesAnywhereSigner(botocore.auth.SigV4Auth):
    """Signs requests of botocore's with a certificate's private key, CreateSession or any other that the
    service takes so signed.

        request = botocore.awsrequest.AWSRequest("POST", url, {"Content-Type": "application/json"}, body)
        IAMRolesAnywhereSigner("client.pem", "client.key", region="eu-west-1").add_auth(request)
        botocore.httpsession.URLLib3Session().send(request.prepare())

    The declared algorithm is that of the key. ML-DSA keys sign too. ``certificate`` and
    ``certificate_chain`` are this package's objects, not those of ``cryptography``; the private key is
    not shown.

    Raises:
        RolesAnywhereError: as :class:`Identity`.
    """

    def __init__(
        self,
        certificate: Source,
        private_key: Source,
        certificate_chain: Source | None = None,
        private_key_passphrase: str | bytes | None = None,
        region: str = "us-east-1",
        service_name: str = "rolesanywhere",
    ) -> None:
        nobody: Any = None  # the certificate is the credential
        super().__init__(nobody, service_name, region)
        identity = Identity(
            certificate,
            private_key,
            certificate_chain=certificate_chain,
            password=private_key_passphrase,
        )
        assert identity.key is not None
        self._key = identity.key
        #: The end entity's certificate.
        self.certificate: Certificate = identity.chain.end_entity
        #: The intermediates, which are sent along; ``None`` when there are none.
        self.certificate_chain: list[Certificate] | None = identity.chain.intermediates or None

    @property
    def algorithm(self) -> str:
        """The algorithm that a request declares, ``AWS4-X509-RSA-SHA256`` for instance."""
        return self._key.signing_algorithm

    @property
    def private_key_type(self) -> str:
        """``"RSA"``, ``"ECDSA"`` or ``"MLDSA"``."""
        return self.algorithm.split("-")[2]

    def add_auth(self, request: botocore.awsrequest.AWSRequest) -> None:
        """Dates a request and signs it: sets ``X-Amz-Date``, ``X-Amz-X509``, ``X-Amz-X509-Chain`` and
        ``Authorization``, in place of any that it has."""
        now = datetime.datetime.now(datetime.timezone.utc)
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        headers: dict[str, str | None] = {
            "Authorization": None,
            "X-Amz-Date": request.context["timestamp"],
            "X-Amz-X509": _encoded(self.certificate),
            "X-Amz-X509-Chain": ",".join(map(_encoded, self.certificate_chain or [])) or None,
        }
        for name, value in headers.items():
            del request.headers[name]  # which is no error when there is none
            if value is not None:
                request.headers[name] = value
        canonical_request = self.canonical_request(request)
        signature = self.signature(self.string_to_sign(request, canonical_request), request)
        signed = self.signed_headers(self.headers_to_sign(request))
        request.headers["Authorization"] = (
            f"{self.algorithm} Credential={self.certificate.serial_decimal}/{self.scope(request)}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )

    def scope(self, request: botocore.awsrequest.AWSRequest) -> str:
        """The credential scope, of a request that has its date."""
        return self.credential_scope(request)

    def string_to_sign(
        self, request: botocore.awsrequest.AWSRequest, canonical_request: str
    ) -> str:
        """The string to sign, of a request that has its date."""
        digest = hashlib.sha256(canonical_request.encode()).hexdigest()
        timestamp = request.context["timestamp"]
        return f"{self.algorithm}\n{timestamp}\n{self.scope(request)}\n{digest}"

    def signature(
        self, string_to_sign: str, request: botocore.awsrequest.AWSRequest | None = None
    ) -> str:
        """The signature of a string to sign, in hexadecimal digits."""
        return self._key.sign(string_to_sign.encode()).hex()


def _encoded(certificate: Certificate) -> str:
    return base64.b64encode(certificate.der).decode()
