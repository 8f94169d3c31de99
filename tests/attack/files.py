"""Hostile files and values: whatever stands where a file is read, each run ends, takes little, names no control character,
repeats no secret, and deletes nothing that is not its own."""

import base64
import os
import random
import re
import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor

from stage import Figures, openssl

#: A pipe that nobody writes to is left after half a minute.
WITHIN = 60
THREADS = 12


def hostile_places(folder):
    """(label, path) of what is no ordinary file."""
    made = folder / "hostile-files"
    made.mkdir()
    (made / "empty").write_bytes(b"")
    (made / "random").write_bytes(random.Random(15).randbytes(100_000))
    (made / "zeros").write_bytes(bytes(1 << 20))
    with (made / "sparse").open("wb") as file:
        file.truncate(8 << 30)
    (made / "folder").mkdir()
    (made / "dangling").symlink_to("nowhere")
    (made / "loop").symlink_to("loop")
    os.mkfifo(made / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(made / "socket"))
    pem = (folder / "demo/certificate.pem").read_text()
    (made / "sections").write_text(pem * 5000)
    (made / "begin").write_text("-----BEGIN CERTIFICATE-----\n" * 20_000)
    (made / "line").write_text("-----BEGIN CERTIFICATE-----\n" + "A" * 4_000_000 + "\n-----END CERTIFICATE-----\n")
    (made / "nested").write_bytes(b"".join(b"\x30\x84" + length.to_bytes(4, "big") for length in range(600_000, 0, -6))[:600_000])
    (made / "indefinite").write_bytes(b"\x30\x80" * 300_000)
    strange = made / "a\x1b[31m\u202eb\nc"
    strange.write_bytes(b"x")
    for path in sorted(made.iterdir()):
        yield path.name.split("\x1b")[0], str(path)
    for path in ("/dev/zero", "/dev/full", "/dev/null", "/dev/tty", "/proc/self/mem", "/proc/self/environ", "\x1b]0;x\x07", "x" * 5000, "~/nowhere", "/"):
        yield path[:16], path


def files(stage, figures):
    """Every option that names a file, with every place."""
    own = (stage.folder / "demo/key.pem").read_bytes()
    options = ("--certificate", "--private-key", "--intermediates", "--ca-bundle", "--password-file")
    places = list(hostile_places(stage.folder))
    right = {"--certificate": "demo/certificate.pem", "--private-key": "demo/key.pem", "--ca-bundle": "ca.pem"}
    secrets = own.split(b"\n")[1:-2]

    def one(case):
        option, (label, path) = case
        given = {**right, option: path}
        line = [word for pair in given.items() for word in pair]
        run = stage.run("credential-process", *line, *stage.arns, "--endpoint", stage.endpoint, "--no-cache", within=WITHIN)
        run.check(figures, f"{option} {label}", secrets)
        figures.count("files")

    def credentials_file(place):
        label, path = place
        kind = os.stat(path).st_mode if os.path.exists(path) and len(path) < 4096 else None
        # A device or what is the system's is not offered for writing.
        if path.startswith(("/dev", "/proc")) or path == "/":
            return
        run = stage.run("update", "--once", *stage.identity, *stage.arns, *stage.reach, within=WITHIN,
                        environment={"AWS_SHARED_CREDENTIALS_FILE": path})  # fmt: skip
        run.check(figures, f"credentials file {label}")
        figures.count("files")
        if kind is not None and not stat.S_ISREG(kind):
            figures.expect(stat.S_IFMT(os.stat(path).st_mode) == stat.S_IFMT(kind), f"credentials file {label}: it is another kind of file now")

    with ThreadPoolExecutor(THREADS) as threads:
        # Those that wait for their end begin first.
        work = sorted(((option, place) for option in options for place in places), key=lambda case: case[1][0] != "fifo")
        list(threads.map(one, work))
        list(threads.map(credentials_file, places))


def values(stage, figures):
    """A key where a path, a name or a number belongs: no part of it comes back."""
    folder = stage.folder
    openssl(folder, "pkey", "-in", "demo/key.pem", "-outform", "DER", "-out", "secret.der")
    pem = (folder / "demo/key.pem").read_text()
    der = (folder / "secret.der").read_bytes()
    forms = {
        "PEM": pem, "PEM in a line": pem.replace("\n", "\\n"), "base64 of PEM": base64.b64encode(pem.encode()).decode(),
        "base64 of DER": base64.b64encode(der).decode(), "hex of DER": der.hex(), "password": "correct horse battery staple 7!Q",
    }  # fmt: skip
    options = [
        "--private-key", "--certificate", "--intermediates", "--password-file", "--password-env", "--password-fd", "--ca-bundle",
        "--pkcs11-lib", "--cache-dir", "--session-duration", "--connect-timeout",
    ]  # fmt: skip

    def one(case):
        option, form, secret, way = case
        # Twelve characters in a row are a part of it; what is in every key is none.
        parts = [secret[at : at + 12].encode() for at in range(0, len(secret) - 12, 4)]
        parts = [part for part in parts if not re.search(rb"-|PRIVATE|BEGIN|KEY|\n", part)]
        line = ["credential-process", *stage.identity, *stage.arns, *stage.reach]
        environment = {}
        if way == "option":
            line += [f"{option}={secret}"]
        else:
            environment["ROLESANYWHERE_" + option[2:].replace("-", "_").upper()] = secret
            if option in line:
                del line[line.index(option) : line.index(option) + 2]
        run = stage.run(*line, "--no-cache", within=WITHIN, environment=environment)
        run.check(figures, f"{form} as {option} by {way}", parts)
        figures.count("values")

    # A password may look like a path, which is shown where a path belongs.
    cases = [
        (option, form, secret, way)
        for option in options
        for form, secret in forms.items()
        for way in ("option", "variable")
        if form != "password" or option.startswith("--password")
    ]
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(one, cases))


def cache(stage, figures):
    """A cache directory that others write into: strangers' files stay, and no entry of theirs is believed."""
    directory = stage.folder / "cache"
    line = ["credential-process", *stage.identity, *stage.arns, *stage.reach, "--cache-dir", str(directory)]
    run = stage.run(*line, within=WITHIN)
    run.check(figures, "the first call")
    kept = [path for path in directory.iterdir() if path.stat().st_size > 100]
    figures.expect(run.status == 0 and len(kept) == 1, f"the cache keeps {kept}: {run.stderr[:200]!r}")
    entry = kept[0].read_bytes()
    again = stage.run(*line, within=WITHIN)
    figures.expect(again.stdout == run.stdout, "the second call does not use what is kept")
    strangers = ["theirs.lock", "theirs.session", ".tmp12345", "package-lock.json", "x" * 64 + ".session", ".tmpABCDEF"]
    old = time.time() - 30 * 24 * 3600
    for name in strangers:
        (directory / name).write_text("theirs")
        os.utime(directory / name, (old, old))
    chance = random.Random(15)

    def broken():
        yield "empty", b""
        yield "zeros", bytes(len(entry))
        yield "large", entry + b"x" * (32 << 20)
        for at in range(0, len(entry), max(1, len(entry) // 40)):
            yield f"cut at {at}", entry[:at]
            yield f"changed at {at}", entry[:at] + bytes([entry[at] ^ (1 << chance.randrange(8))]) + entry[at + 1 :]

    for label, content in broken():
        kept[0].write_bytes(content)
        run = stage.run(*line, within=WITHIN)
        run.check(figures, f"cache entry {label}")
        figures.count("cache entries")
        figures.expect(run.status == 0 and b'"Version":1' in run.stdout.replace(b" ", b""), f"cache entry {label}: {run.stderr[:200]!r}")
    for what in ("fifo", "folder", "link"):
        kept[0].unlink(missing_ok=True)
        if what == "fifo":
            os.mkfifo(kept[0])
        elif what == "folder":
            kept[0].mkdir()
        else:
            kept[0].symlink_to(stage.folder / "demo/key.pem")
        key = (stage.folder / "demo/key.pem").read_bytes()
        run = stage.run(*line, within=WITHIN)
        run.check(figures, f"cache entry that is a {what}")
        figures.count("cache entries")
        figures.expect(run.status == 0, f"cache entry that is a {what}: {run.stderr[:200]!r}")
        figures.expect((stage.folder / "demo/key.pem").read_bytes() == key, f"cache entry that is a {what}: a file elsewhere was written")
        if kept[0].is_dir() and not kept[0].is_symlink():
            kept[0].rmdir()
    missing = [name for name in strangers if not (directory / name).exists()]
    figures.expect(not missing, f"the cache deleted {missing}")


def attack(stage):
    figures = Figures("hostile files and values to the command")
    files(stage, figures)
    values(stage, figures)
    cache(stage, figures)
    return figures
