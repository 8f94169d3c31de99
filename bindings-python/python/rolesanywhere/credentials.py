"""Temporary AWS credentials."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from typing import Any, NoReturn

    from ._native import Session


class Credentials:
    """Temporary AWS credentials. Immutable; the secret parts are not shown by ``repr``.

    Attributes:
        access_key_id: the access key id, which is not a secret.
        secret_access_key: the secret access key.
        session_token: the session token, a secret too.
        expires_at: when the service stops accepting them, in Unix seconds.
        account_id: the account of the role, twelve digits; ``None`` when the service did not tell.
        assumed_role_arn: who they are, ``arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION``.
    """

    __slots__ = (
        "access_key_id",
        "account_id",
        "assumed_role_arn",
        "expires_at",
        "secret_access_key",
        "session_token",
    )
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: int
    account_id: str | None
    assumed_role_arn: str | None

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        session_token: str,
        expires_at: int,
        account_id: str | None = None,
        assumed_role_arn: str | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "access_key_id", access_key_id)
        put(self, "secret_access_key", secret_access_key)
        put(self, "session_token", session_token)
        put(self, "expires_at", expires_at)
        put(self, "account_id", account_id)
        put(self, "assumed_role_arn", assumed_role_arn)

    @classmethod
    def from_session(cls, session: Session) -> Credentials:
        """The credentials of the service's answer."""
        return cls(
            session.access_key_id,
            session.secret_access_key,
            session.session_token,
            session.expiration,
            session.account_id,
            session.assumed_role_arn,
        )

    @property
    def expiration(self) -> datetime.datetime:
        """When the service stops accepting them, in UTC."""
        import datetime

        return datetime.datetime.fromtimestamp(self.expires_at, datetime.timezone.utc)

    def credential_process_json(self) -> str:
        """The JSON that ``credential_process`` of the AWS SDKs reads. It holds the secrets."""
        import json

        return json.dumps(
            {
                "Version": 1,
                "AccessKeyId": self.access_key_id,
                "SecretAccessKey": self.secret_access_key,
                "SessionToken": self.session_token,
                "Expiration": self.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
                **({"AccountId": self.account_id} if self.account_id else {}),
            }
        )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"credentials are immutable: `{name}` cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"credentials are immutable: `{name}` cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credentials):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __reduce__(self) -> tuple[Any, ...]:
        return (Credentials, self._values())

    def _values(self) -> tuple[Any, ...]:
        return (
            self.access_key_id,
            self.secret_access_key,
            self.session_token,
            self.expires_at,
            self.account_id,
            self.assumed_role_arn,
        )

    def __repr__(self) -> str:
        return (
            f"Credentials(access_key_id={self.access_key_id!r}, secret_access_key=[redacted], "
            f"session_token=[redacted], expires_at={self.expires_at}, account_id={self.account_id!r})"
        )
