#!/usr/bin/env python3
"""Prints signed-requests.json: requests made at random, canonicalized and signed by botocore.

    pip install botocore==1.44.5
    python tests/vectors/signed-requests.py > tests/vectors/signed-requests.json

The seed is fixed, so the file comes out the same. Left out is what botocore does in its own way: a
path that ends in a dot segment, which keeps its slash by RFC 3986 and loses it in botocore.
"""

import datetime
import json
import random
from unittest import mock
from urllib.parse import quote

import botocore
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
WORDS = ["", "a", "b c", "A", "~", "x=y", "1+1", "a/b", "é", "日本", "%", "50%25", "a&b", "-._~", "*", ":@", "!'()"]
HEADERS = ["Content-Type", "x-amz-meta-a", "X-Amz-Meta-B", "accept", "USER-AGENT", "Expect", "x-amz-x509", "zebra"]
VALUES = ["a", "  a", "a  ", "a   b", "a, b", '"a  b"', "a\tb", "A;b=c", "", "x" * 200]
TIMES = ["20150830T123600Z", "20261121T235959Z", "20240229T000000Z"]
REGIONS = ["us-east-1", "eusc-de-east-1", "us-gov-west-1"]


def main():
    draw = random.Random(20261121)
    rows = [row(draw, form, kind) for form, kind, count in SHAPES for _ in range(count)]
    print("{")
    print(f' "source": "botocore {botocore.__version__}, tests/vectors/signed-requests.py",')
    print(f' "access_key_id": "{ACCESS_KEY_ID}",')
    print(f' "secret_access_key": "{SECRET_ACCESS_KEY}",')
    print(' "requests": [')
    print(",\n".join("  " + json.dumps(row) for row in rows))
    print(" ]\n}")


# Appended to, never changed in the middle: each row takes the next random numbers.
SHAPES = [
    ("header", "", 60),
    ("header", "s3", 20),
    ("query", "", 30),
    ("query", "s3", 10),
    ("header", "s3express", 20),
    ("query", "s3express", 20),
    ("header", "unsigned", 10),
]


def row(draw, form, kind):
    time, region = draw.choice(TIMES), draw.choice(REGIONS)
    s3, express, unsigned = kind == "s3" or kind == "s3express", kind == "s3express", kind == "unsigned"
    if s3:
        service = kind
    else:
        service = draw.choice(["rolesanywhere", "sts", "execute-api"])
    token = draw.choice([None, "IQoJb3JpZ2luX2VjE//+a=="])
    if express:
        token = "IQoJb3JpZ2luX2VjE//+a=="  # credentials of a directory bucket always have a token
    method = draw.choice(["GET", "POST", "PUT"])
    path, query = path_of(draw, s3), query_of(draw, repeat=form == "header")
    body = draw.choice(["", "{}", '{"durationSeconds":3600}', "é"])
    headers = [["Host", draw.choice(["example.com", "localhost:8443"])]]
    for name in draw.sample(HEADERS, draw.randrange(5)):
        for _ in range(draw.choice([1, 1, 1, 2])):
            headers.append([name, draw.choice(VALUES)])
    draw.shuffle(headers)

    host = next(value for name, value in headers if name == "Host")
    request = AWSRequest(method, f"https://{host}{path}" + (f"?{query}" if query else ""))
    request.data = body.encode() if form == "header" else b""
    for name, value in headers:
        request.headers[name] = value  # appends, as http.client's messages do
    if unsigned:
        request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    credentials = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, token)
    expires = draw.randint(1, 604800)
    if form == "header":
        header_auth = auth.S3SigV4Auth if s3 else auth.SigV4Auth
        cache = {}
        if express:
            header_auth, cache = auth.S3ExpressAuth, {"identity_cache": None}  # which signing does not ask
        signer = header_auth(credentials, service, region, **cache)
    else:
        query_auth = auth.S3SigV4QueryAuth if s3 else auth.SigV4QueryAuth
        cache = {}
        if express:
            query_auth, cache = auth.S3ExpressQueryAuth, {"identity_cache": None}
        signer = query_auth(credentials, service, region, expires=expires, **cache)
    seen = {}
    canonical_request, string_to_sign = signer.canonical_request, signer.string_to_sign

    def canonical(request):
        seen["canonical_request"] = canonical_request(request)
        return seen["canonical_request"]

    def to_sign(request, canonical):
        seen["string_to_sign"] = string_to_sign(request, canonical)
        return seen["string_to_sign"]

    signer.canonical_request, signer.string_to_sign = canonical, to_sign
    moment = datetime.datetime.strptime(time, "%Y%m%dT%H%M%SZ")
    with mock.patch("botocore.auth.get_current_datetime", lambda: moment):
        signer.add_auth(request)
    made = {
        "form": form,
        "payload": "unsigned" if unsigned or (s3 and form == "query") else "signed",
        "session_token_kind": "s3express" if express else "standard",
        "method": method,
        "path": path,
        "query": query,
        "headers": headers,
        "body": body if form == "header" else "",
        "time": time,
        "region": region,
        "service": service,
        "session_token": token,
        **seen,
    }
    if form == "header":
        made["authorization"] = request.headers["Authorization"]
    else:
        made["expires"] = expires
        made["signature"] = request.url.rsplit("=", 1)[1]
    return made


def path_of(draw, s3):
    segments = [quote(draw.choice(WORDS), safe="~") for _ in range(draw.randrange(5))]
    if not s3 and draw.random() < 0.4:
        segments.insert(draw.randrange(len(segments) + 1), draw.choice([".", "..", ""]))
    path = "/" + "/".join(segments)
    return path + "/x" if path.endswith((".", "..")) else path


def query_of(draw, repeat):
    names = draw.sample(WORDS[1:], draw.randrange(5))
    if repeat and names:
        names.append(names[0])
    pairs = [f"{quote(name, safe='~')}={quote(draw.choice(WORDS), safe='~')}" for name in names]
    draw.shuffle(pairs)
    return "&".join(pairs)


if __name__ == "__main__":
    main()
