"""No SDK: signed requests by `requests` and `httpx`: `signed_requests.py CERTIFICATE PRIVATE-KEY`."""

import os
import sys

import httpx
import requests
import rolesanywhere
from rolesanywhere.auth import RequestsAuth, httpx_auth
from rolesanywhere.sigv4 import RequestSigner

client = rolesanywhere.Client(
    os.environ["AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN"],
    os.environ["AWS_ROLESANYWHERE_PROFILE_ARN"],
    os.environ["AWS_ROLESANYWHERE_ROLE_ARN"],
    certificate=sys.argv[1],
    private_key=sys.argv[2],
    endpoint=os.environ.get("AWS_ENDPOINT_URL_ROLESANYWHERE"),
)
sts = os.environ.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{client.region}.amazonaws.com"
url = f"{sts}/?Action=GetCallerIdentity&Version=2011-06-15"

print(requests.get(url, auth=RequestsAuth(client, "sts"), timeout=10).text)
print(httpx.get(url, auth=httpx_auth(client, "sts")).text)

# A URL that anyone may open for a minute: treat it as a secret.
link = RequestSigner("sts", client.region).presign(
    client.credentials(), "GET", url, expires_seconds=60
)
print(requests.get(link, timeout=10).status_code)
