"""Hostile HTTP against `serve`: whatever is sent, credentials go to honest requests alone, and these are served."""

import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from stage import Figures, exchange

#: Marks an answer that holds credentials.
SECRET = b"SecretAccessKey"
ROLE = "/latest/meta-data/iam/security-credentials/demo"
HOSTILE_CONNECTIONS = 600
#: An honest client is to be served within 250 ms while these connections stand; what is asserted leaves room for a machine
#: that compiles something else meanwhile, and the figure is printed.
MAX_DELAY = 2.5
#: Requests under way at once: most of them wait for an end that never comes.
THREADS = 24


class Client:
    """An honest client of IMDSv2."""

    def __init__(self, address):
        self.address, self.host = address, f"{address[0]}:{address[1]}"

    def request(self, method, path, *headers, body=b""):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", "Connection: close", *headers, "", ""]
        return "\r\n".join(lines).encode("latin-1") + body

    def token(self):
        """A token, or nothing where none is given."""
        answer = exchange(self.address, self.request("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 600"))
        return answer.split(b"\r\n\r\n", 1)[1].decode() if answer.startswith(b"HTTP/1.1 200") else ""

    def credentials(self):
        return exchange(self.address, self.request("GET", ROLE, f"X-aws-ec2-metadata-token: {self.token()}"))


def wrong_requests(client, token):
    """Requests, each with what is wrong with it, none of which gets credentials."""
    right = f"X-aws-ec2-metadata-token: {token}"

    def get(path=ROLE, host=client.host, version="1.1", method="GET", more=(), token=right):
        lines = [f"{method} {path} HTTP/{version}", *([f"Host: {host}"] if host is not None else []), token, *more]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")

    yield "no token", get(token="X-x: y")
    yield "empty token", get(token="X-aws-ec2-metadata-token: ")
    yield "long token", get(token=f"X-aws-ec2-metadata-token: {'A' * 5000}")
    yield "token of another process", get(token=f"X-aws-ec2-metadata-token: {'A' * len(token)}")
    for at in range(0, len(token), 7):
        other = "A" if token[at] != "A" else "B"
        yield f"changed token {at}", get(token=f"{right[: len(right) - len(token) + at]}{other}{token[at + 1 :]}")
    for host in (
        "evil.example", "[::1]evil.example", "localhost:evil.example", "127.0.0.1.evil.example", "localhost@evil.example",
        "evil.example#localhost", "localhost, evil.example", "localhost\x00", "localhost/", "", "[::1", "localhost:99999",
        "\xe9vil",
    ):  # fmt: skip
        yield f"host {host!r}", get(host=host)
    yield "no host", get(host=None)
    yield "two hosts", get(more=("Host: evil.example",))
    yield "two equal hosts", get(more=(f"Host: {client.host}",))
    for header in (
        "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost", "Forwarded: for=127.0.0.1", "Via: 1.1 proxy",
        "Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
    ):  # fmt: skip
        yield header, get(more=(header,))
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "G\x00T", "\x00"):
        yield f"method {method!r}", get(method=method)
    for path in (ROLE + "/../demo", ROLE + "%00", ROLE + "x", ROLE[:-1], ROLE.upper(), ROLE.replace("demo", "%2e%2e/demo"), "*"):
        yield f"path {path!r}", get(path=path)
    for host in ("http://evil.example", "https://evil.example:1", "ftp://evil.example"):
        yield f"absolute path of {host}", get(path=host + ROLE, host="evil.example")
    yield "old version without host", get(host=None, version="1.0")
    yield "unknown version", get(version="9.9")
    yield "a million headers", get(more=("X-X: y",) * 100_000)
    yield "a large header", get(more=("X-X: " + "y" * (1 << 20),))
    yield "a long path", get(path="/" + "a" * (1 << 20))
    yield "folded header", get(more=("X-X: y", " folded: z"), token=f"X-aws-ec2-metadata-token:\r\n {token}")
    yield "bare line feeds", get(token="X-x: y").replace(b"\r\n", b"\n")
    yield "two lengths", get(more=("Content-Length: 0", "Content-Length: 5"), token="X-x: y") + b"GET /"
    smuggled = get()
    for coding in ("chunked", "chunked, identity", "\tchunked", "xchunked"):
        more = (f"Content-Length: {len(smuggled)}", f"Transfer-Encoding: {coding}")
        # The second request has all that an honest one has: if it is answered, it was smuggled past a proxy.
        yield f"length and {coding!r}", get(more=more, token="X-x: y").replace(b"Connection: close\r\n", b"") + b"0\r\n\r\n" + smuggled
    yield "TLS", bytes.fromhex("16030100c8010000c40303") + bytes(200)
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64)
    yield "nothing but zeros", bytes(1 << 16)
    for ttl in ("-1", "0", "21601", "99999999999999999999", "1e3", "0x10", " ", "１２"):
        header = f"X-aws-ec2-metadata-token-ttl-seconds: {ttl}"
        yield f"ttl {ttl!r}", client.request("PUT", "/latest/api/token").replace(b"\r\n\r\n", b"\r\n" + header.encode() + b"\r\n\r\n")


def wrong_bytes(client, token, figures, address, rounds=1500):
    """An honest request with bytes changed at random: it gets credentials only if what counts was left as it was."""
    chance = random.Random(15)  # The same each time.
    honest = client.request("GET", ROLE, f"X-aws-ec2-metadata-token: {token}")
    requests = []
    for _ in range(rounds):
        changed = bytearray(honest)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(changed))
            match chance.randrange(3):
                case 0:
                    changed[at] = chance.randrange(256)
                case 1:
                    del changed[at : at + chance.randint(1, 8)]
                case _:
                    changed[at:at] = chance.choice([b"\r\n", b"\x00", b"\r", b"\n", b":", b"%2f", b"\xff", b" "])
        requests.append(bytes(changed))

    def send(changed):
        answer = exchange(address, changed, timeout=0.3)
        figures.count("changed requests")
        right = token.encode() in changed and ROLE.encode() in changed.replace(b"//", b"/")
        figures.expect(right or SECRET not in answer, f"credentials for {changed!r}")

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(send, requests))


def crowd(client, figures, address, service):
    """Connections that never write, never read, or write a byte now and then, while an honest client asks."""
    stop = threading.Event()
    standing = []
    for number in range(HOSTILE_CONNECTIONS):
        try:
            connection = socket.create_connection(address, 5)
        except OSError:
            continue  # Refused, as it may be.
        connection.setblocking(False)
        standing.append(connection)
        kind = number % 3
        try:
            if kind == 1:  # Pipelined, and no answer is ever read.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.send(f"GET /latest/meta-data HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode() * 400)
            elif kind == 2:
                connection.send(b"GET / HTTP/1.1\r\nX-Slow: ")
        except OSError:
            pass

    def trickle():
        while not stop.wait(0.5):
            for connection in standing[2::3]:
                try:
                    connection.send(b"s")
                except OSError:
                    pass

    thread = threading.Thread(target=trickle)
    thread.start()
    delays = []
    for _ in range(40):
        begun = time.monotonic()
        answer = client.credentials()
        delays.append(time.monotonic() - begun)
        figures.expect(SECRET in answer, f"no credentials beside {len(standing)} hostile connections: {answer[:200]!r}")
        if SECRET not in answer:
            break
        time.sleep(0.1)
    stop.set()
    thread.join()
    figures.most("hostile connections", len(standing))
    figures.most("longest honest exchange beside them, ms", round(max(delays) * 1000))
    figures.expect(max(delays) < MAX_DELAY, f"an honest client waited {max(delays):.1f} s")
    for connection in standing:
        connection.close()


def attack(stage):
    figures = Figures("hostile HTTP to serve")
    service = stage.serve()
    url = urlsplit(service.said(r"AWS_EC2_METADATA_SERVICE_ENDPOINT=(\S+)"))
    address = (url.hostname, url.port)
    client = Client(address)
    figures.expect(SECRET in client.credentials(), "the honest client itself gets no credentials")
    token = client.token()
    before, descriptors = service.memory(), service.descriptors()

    def send(wrong):
        label, request = wrong
        answer = exchange(address, request, timeout=2)
        figures.count("wrong requests")
        figures.expect(SECRET not in answer, f"{label}: credentials")
        if label.startswith("ttl"):
            figures.expect(not answer.startswith(b"HTTP/1.1 200"), f"{label}: a token")

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(send, wrong_requests(client, token)))
    wrong_bytes(client, token, figures, address)
    crowd(client, figures, address, service)
    end = time.monotonic() + 15
    while service.descriptors() > descriptors + 8 and time.monotonic() < end:
        time.sleep(0.2)
    figures.expect(service.descriptors() <= descriptors + 8, f"{service.descriptors()} descriptors after {descriptors}")
    grown = service.memory() - before
    figures.most("memory grown, KiB", grown >> 10)
    figures.expect(grown < 32 << 20, f"it has grown by {grown >> 20} MiB")
    figures.expect(service.process.poll() is None, "it ended")
    figures.expect(SECRET in client.credentials(), "an honest client gets nothing any more")
    said = service.log.read_text(errors="replace")
    figures.expect("panicked" not in said, f"it panicked: {said[-500:]}")
    figures.expect(token not in said, "it says a token")
    service.stop()
    return figures
