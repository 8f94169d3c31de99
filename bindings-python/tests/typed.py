"""How a typed program uses the package; mypy and pyright check it in strict mode, nothing runs it."""

from __future__ import annotations

import boto3
import httpx
import requests
import rolesanywhere
from aiobotocore.session import AioSession
from rolesanywhere import AsyncClient, Client, Credentials, DiskCache, Identity, Signer
from rolesanywhere.aioboto import get_session
from rolesanywhere.auth import RequestsAuth, httpx_auth


async def sign(message: bytes) -> bytes:
    return message


def main(anchor: str, profile: str, role: str) -> None:
    session: boto3.session.Session = rolesanywhere.boto3_session(
        anchor, profile, role, "client.pem", "client.key", duration_seconds=900
    )
    region: str = session.region_name
    client = Client(
        anchor, profile, role, identity=lambda: Identity("client.pem"), cache=DiskCache("cache")
    )
    credentials: Credentials = client.credentials()
    account: str | None = credentials.account_id
    requests.get("https://example.com", auth=RequestsAuth(client, "execute-api"))
    httpx.get("https://example.com", auth=httpx_auth(client, "execute-api"))
    try:
        Client(anchor, profile, role, "client.pem", signer=Signer(sign, ecdsa="p1363"))
    except rolesanywhere.AccessDeniedError as error:
        print(error.code, error.status, error.request_id, account, region)
    rolesanywhere.install(cache=DiskCache())


async def asynchronous(anchor: str, profile: str, role: str) -> None:
    client = AsyncClient(anchor, profile, role, b"pem", signer=sign)
    credentials: Credentials = await client.credentials()
    session: AioSession = get_session(anchor, profile, role, "client.pem", "client.key")
    print(credentials, session.user_agent())
