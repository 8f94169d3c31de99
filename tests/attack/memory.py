"""What is left of keys in the memory of `serve`, and that no core dump is written.

A key is looked for as its DER, as base64 of that, and as its numbers in both orders of bytes, which is how libraries hold
them. What is promised stands in SECURITY.md; what is found is printed whatever is promised.
"""

import base64
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from http_attack import SECRET, Client
from stage import Figures, openssl

P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
KINDS = {"P-256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "RSA-2048": ["-algorithm", "RSA"]}
#: The user that has nothing, on every Linux.
NOBODY = 65534
#: How often an honest client asks before memory is read.
USES = 20


def numbers(folder, key):
    """The secret numbers of a key, by name, as OpenSSL prints them."""
    openssl(folder, "pkey", "-in", key, "-text", "-noout", "-out", "key.text")
    text = Path(folder, "key.text").read_text()
    for name in ("priv", "privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient"):
        found = re.search(rf"(?m)^{name}:\n((?:    .*\n)+)", text)
        if found:
            yield name, bytes.fromhex(re.sub(r"[\s:]", "", found[1])).lstrip(b"\0")


def needles(folder, key):
    openssl(folder, "pkey", "-in", key, "-outform", "DER", "-out", "key.der")
    der = Path(folder, "key.der").read_bytes()
    # The end of the file is the public key in some forms: the first half has the secret.
    yield "DER", der[: len(der) // 2]
    lines = Path(folder, key).read_bytes().split(b"\n")
    yield "PEM", lines[2]
    yield "base64", base64.b64encode(der)[64:128]
    for name, number in numbers(folder, key):
        yield name, number
        yield f"{name}, least byte first", number[::-1]


def search(pid, wanted):
    """How often each of the needles is in the memory that the process can write to."""
    found = {name: 0 for name, _ in wanted}
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            if not mode.startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except (OSError, OverflowError, ValueError):
                continue  # A part that the system keeps.
            for name, needle in wanted:
                found[name] += content.count(needle)
    return found


def emulator_for_own_keys(stage):
    """An emulator whose anchor is an authority of ours: the arguments that reach it."""
    folder = stage.folder
    openssl(folder, "req", "-x509", *P256, "-nodes", "-days", "2", "-subj", "/CN=authority", "-keyout", "authority-key.pem",
            "-out", "authority.pem", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    configuration = (folder / "demo/emulator.toml").read_text().replace("ca.pem", "../authority.pem")
    (folder / "demo/own.toml").write_text(configuration)
    emulator = stage.start("emulate", "--config", "demo/own.toml", "--ca-file", "own-ca.pem")
    arns = [emulator.said(rf"(--{name}-arn \S+)").split() for name in ("trust-anchor", "profile", "role")]
    endpoint = emulator.said(r"listens on (\S+)")
    return [*(word for pair in arns for word in pair), "--endpoint", endpoint, "--ca-bundle", "own-ca.pem"]


def identity(folder, kind, options):
    """A key and its certificate by that authority."""
    key, certificate = f"{kind}.pem", f"{kind}-certificate.pem"
    openssl(folder, "genpkey", *options, "-out", key)
    openssl(folder, "req", "-x509", "-key", key, "-days", "2", "-subj", f"/CN={kind}", "-CA", "authority.pem",
            "-CAkey", "authority-key.pem", "-addext", "basicConstraints=critical,CA:false",
            "-addext", "keyUsage=critical,digitalSignature", "-out", certificate)  # fmt: skip
    return key, certificate


def unlimited():
    """A core dump of any size is welcome to whoever starts the program, who is no privileged user."""
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def give_away(folder):
    """What is in the folder belongs to the user who runs the programs."""
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


def dumps(process):
    """Whether the process, ended by a signal that dumps core, did."""
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return os.WCOREDUMP(status)


def check_dumps(figures, kind, service):
    limits = Path(f"/proc/{service.pid}/limits").read_text()
    limit = re.search(r"Max core file size\s+(\S+)", limits)[1]
    figures.expect(limit == "0", f"{kind}: a core file may have {limit} bytes")
    # The system gives what it shows of a process that is not dumpable to root (proc(5)).
    figures.expect(os.stat(f"/proc/{service.pid}/environ").st_uid == 0, f"{kind}: it is dumpable, so others of its user read its memory")
    figures.expect(not dumps(service.process), f"{kind}: it dumped core")


def attack(stage):
    figures = Figures("keys in the memory of serve, and core dumps")
    folder = stage.folder
    give_away(folder)
    sleeper = subprocess.Popen(["sleep", "60"], cwd=folder, preexec_fn=unlimited)
    time.sleep(0.2)
    figures.expect(dumps(sleeper), "this machine writes no core dump of any program: see /proc/sys/kernel/core_pattern")
    reach = emulator_for_own_keys(stage)
    for kind, options in KINDS.items():
        key, certificate = identity(folder, kind, options)
        wanted = list(needles(folder, key))
        give_away(folder)
        control = search(os.getpid(), wanted)
        figures.expect(all(control.values()), f"{kind}: the search does not find what this process holds: {control}")
        service = stage.start("serve", "--certificate", certificate, "--private-key", key, *reach, "--port", "0",
                              preexec=unlimited)  # fmt: skip
        url = urlsplit(service.said(r"AWS_EC2_METADATA_SERVICE_ENDPOINT=(\S+)"))
        client = Client((url.hostname, url.port))
        for _ in range(USES):
            figures.expect(SECRET in client.credentials(), f"{kind}: no credentials")
        if renews_now(service):
            figures.count("renewals by signal")
        for name, count in search(service.pid, wanted).items():
            figures.counts[f"{kind} {name}"] = count
            # The numbers are a library's, which holds them while it signs: SECURITY.md says which are wiped. The file is ours.
            if name in ("DER", "PEM", "base64"):
                figures.expect(count == 0, f"{kind}: {name} of the key is in memory {count} times")
        check_dumps(figures, kind, service)
    return figures


def renews_now(service):
    """Has it renew, which SIGHUP asks for: memory is read after a second use of the key."""
    handled = int(re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{service.pid}/status").read_text())[1], 16)
    if not handled >> (signal.SIGHUP - 1) & 1:
        return False
    os.kill(service.pid, signal.SIGHUP)
    time.sleep(3)
    return True
