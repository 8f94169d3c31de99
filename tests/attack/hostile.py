"""A service that is none: for each case a listener on loopback that speaks TLS and then does what the case says."""

import gzip
import json
import socket
import threading
import time
from datetime import datetime, timedelta, timezone

#: Never to be seen in an output, a message or a log: what a service says may be a secret of somebody's.
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYATTACKERKEY"
TOKEN = "FwoGZXIvYXdzEATTACKERTOKEN"
#: How long a case goes on sending, in seconds, and how much, in bytes: more than anybody waits for or takes.
PATIENCE, PLENTY = 20, 64 << 20


def session(**changes):
    """The JSON of a session that is right but for the changes."""
    end = datetime.now(timezone.utc) + timedelta(hours=1)
    credentials = {"accessKeyId": "ASIAATTACKED", "secretAccessKey": SECRET, "sessionToken": TOKEN,
                   "expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}  # fmt: skip
    credentials.update(changes)
    credentials = {name: value for name, value in credentials.items() if value is not None}
    role = {"arn": "arn:aws:sts::123456789012:assumed-role/demo/s", "assumedRoleId": "AROA:s"}
    kept = {"assumedRoleUser": role, "credentials": credentials, "packedPolicySize": 1,
            "roleArn": "arn:aws:iam::123456789012:role/demo", "sourceIdentity": "CN=x"}  # fmt: skip
    return json.dumps({"credentialSet": [kept], "subjectArn": "arn:aws:rolesanywhere:us-east-1:123456789012:subject/x"})


def answer(body, status="201 Created", *headers, content_type="application/json", length=None):
    body = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body) if length is None else length}", *headers]
    lines += [f"content-type: {content_type}"] if content_type else []
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body


def endless(first, more):
    """Sends `first`, then `more` until nobody takes it."""

    def send(connection):
        connection.sendall(first)
        end, sent = time.monotonic() + PATIENCE, 0
        while time.monotonic() < end and sent < PLENTY:
            connection.sendall(more)
            sent += len(more)

    return send


def slowly(data, pause):
    def send(connection):
        end = time.monotonic() + PATIENCE
        for at in range(len(data)):
            if time.monotonic() > end:
                break
            connection.sendall(data[at : at + 1])
            time.sleep(pause)

    return send


def reset(connection):
    """Ends in the middle, with a reset."""
    connection.sendall(answer(session())[:60])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


REFUSED, EITHER = "refused", "either"


def cases(elsewhere):
    """(label, bytes or what sends them, outcome). `elsewhere` is the URL of a listener that nobody may ask."""
    head = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n"
    chunked = head + b"transfer-encoding: chunked\r\n\r\n"
    yield "nothing", b"", REFUSED
    yield "zeros", bytes(4096), REFUSED
    yield "a banner of SSH", b"SSH-2.0-x\r\n", REFUSED
    yield "half a head", head, REFUSED
    yield "reset", reset, REFUSED
    yield "shorter than said", answer(session(), length=10_000), REFUSED
    yield "negative length", answer(session(), length=-1), EITHER
    yield "huge length", answer(session(), length=1 << 70), REFUSED
    yield "two lengths", head + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x", REFUSED
    yield "endless body", endless(head + b"\r\n", b"x" * (1 << 16)), REFUSED
    yield "endless JSON", endless(head + b'\r\n{"credentialSet":[', b'"x",' * (1 << 14)), REFUSED
    yield "endless headers", endless(head, b"x-filler: " + b"y" * 500 + b"\r\n"), REFUSED
    yield "endless header", endless(head + b"x-filler: ", b"y" * (1 << 16)), REFUSED
    yield "endless chunks", endless(chunked, b"1\r\nx\r\n" * 4096), REFUSED
    yield "huge chunk", chunked + b"ffffffffffffffffff\r\nx", REFUSED
    yield "chunk extension", endless(chunked + b"1;", b"x" * (1 << 16)), REFUSED
    yield "endless 100", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), REFUSED
    yield "slow head", slowly(answer(session()), 0.5), REFUSED
    yield "silence", slowly(b" " * 100, 1), REFUSED
    for status in ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"):
        yield f"redirect {status[:3]}", answer("", status, f"location: {elsewhere}/sessions"), REFUSED
    yield "refresh", answer("{}", "201 Created", f"refresh: 0; url={elsewhere}"), REFUSED
    yield "gzip", answer(gzip.compress(session().encode()), "201 Created", "content-encoding: gzip"), EITHER
    yield "a bomb of gzip", answer(gzip.compress(bytes(64 << 20)), "201 Created", "content-encoding: gzip"), REFUSED
    yield "deep lists", answer("[" * 200_000), REFUSED
    yield "deep objects", answer('{"credentialSet":' * 40_000), REFUSED
    yield "large numbers", answer('{"credentialSet":1e999999999}'), REFUSED
    yield "no UTF-8", answer(b'{"credentialSet":"\xff\xfe"}'), REFUSED
    yield "a lone surrogate", answer('{"credentialSet":"\\ud800"}'), REFUSED
    yield "a byte order mark", answer("\ufeff" + session()), EITHER
    yield "more behind it", answer(session() + session()), REFUSED
    yield "another role", answer(session().replace("role/demo", "role/other")), EITHER
    yield "no set", answer('{"credentialSet":[]}'), REFUSED
    yield "null", answer("null"), REFUSED
    for name in ("accessKeyId", "secretAccessKey", "sessionToken", "expiration"):
        yield f"no {name}", answer(session(**{name: None})), REFUSED
        yield f"empty {name}", answer(session(**{name: ""})), REFUSED
        yield f"number for {name}", answer(session(**{name: 7})), REFUSED
    for name in ("accessKeyId", "secretAccessKey", "sessionToken"):
        for what, text in (("line feed", "a\nb"), ("NUL", "a\0b"), ("escape", "\x1b[2Ja"), ("quote", 'a"b'), ("direction", "a\u202eb")):
            yield f"{what} in {name}", answer(session(**{name: text})), EITHER
        yield f"large {name}", answer(session(**{name: "x" * 250_000})), EITHER
    for end in ("", "yesterday", "0000-00-00T00:00:00Z", "99999-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "-1", "2026-11-27T10:00:60+99:99"):
        yield f"end {end!r}", answer(session(expiration=end)), REFUSED
    for end in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        yield f"end {end!r}", answer(session(expiration=end)), EITHER
    for date in ("x", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "\x1b[31m"):
        yield f"date {date!r}", answer(session(), "201 Created", f"date: {date}"), EITHER
    for status in ("400 Bad Request", "403 Forbidden", "404 Not Found", "500 Oops", "999 x", "000 x", "-1 x"):
        for what, text in (
            ("escapes", "\x1b]0;owned\x07\x1b[31m"), ("lines", "a\r\nrolesanywhere: all is well\n"), ("direction", "\u202e\u200b\ufeff"),
            ("length", "x" * 200_000), ("markup", "<script>alert(1)</script>"), ("formats", "%s%n{0}${HOME}`id`"),
        ):  # fmt: skip
            yield f"{status[:3]} with {what}", answer(json.dumps({"message": text, "__type": text}), status, f"x-amzn-errortype: {text[:20].encode('ascii', 'ignore').decode().replace(chr(13), '').replace(chr(10), '')}"), REFUSED
    yield "retry for ever", answer('{"message":"x"}', "429 Too Many Requests", "retry-after: 99999999999999999999"), REFUSED
    yield "retry in the past", answer('{"message":"x"}', "503 x", "retry-after: -5"), REFUSED


class Listener:
    """A listener that answers every request alike, and counts them."""

    def __init__(self, context, reply):
        self._context, self._reply = context, reply
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.url = f"https://localhost:{self._socket.getsockname()[1]}"
        self.asked = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, plain):
        try:
            plain.settimeout(PATIENCE)
            with self._context.wrap_socket(plain, server_side=True) as connection:
                self.asked += 1
                request = b""
                while b"\r\n\r\n" not in request:
                    part = connection.recv(1 << 16)
                    if not part:
                        return
                    request += part
                head, _, body = request.partition(b"\r\n\r\n")
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        left = int(line.split(b":")[1]) - len(body)
                        while left > 0 and (part := connection.recv(left)):
                            left -= len(part)
                if callable(self._reply):
                    self._reply(connection)
                else:
                    connection.sendall(self._reply)
        except OSError:
            pass  # The client left, as it should.
        finally:
            plain.close()

    def close(self):
        self._socket.close()
