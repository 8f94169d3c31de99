"""What the attacks share: programs that are started, watched and ended, and what is written down of them."""

import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

#: In a message for a person: control characters but the newline, and what turns the direction of text or is not seen.
UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
#: The memory that a run of the command may take at most, in bytes: the largest file that it reads has 16 MiB.
MAX_MEMORY = 128 << 20
#: The most that a run may say. A message is a line.
MAX_SAID = 16 << 10


class Figures:
    """What was done, counted, and the first things that went wrong."""

    def __init__(self, name):
        self.name, self.counts, self.faults = name, {}, []
        self._lock = threading.Lock()

    def count(self, what, by=1):
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + by

    def most(self, what, value):
        with self._lock:
            self.counts[what] = max(self.counts.get(what, value), value)

    def expect(self, holds, fault):
        self.count("checks")
        if not holds:
            with self._lock:
                self.faults.append(fault)

    def __str__(self):
        figures = ", ".join(f"{what}: {value}" for what, value in self.counts.items())
        return f"{self.name}: {figures}"


class Run:
    """A run of a program from its beginning to its end."""

    def __init__(self, arguments, *, within, environment=None, cwd=None, stdin=subprocess.DEVNULL):
        begun = time.monotonic()
        self.process = subprocess.Popen(
            arguments, env={"PATH": os.environ["PATH"], **(environment or {})}, cwd=cwd, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        kept = {}
        readers = [threading.Thread(target=self._read, args=(kept, name)) for name in ("stdout", "stderr")]
        for reader in readers:
            reader.start()
        self.hung = False
        timer = threading.Timer(within, self._kill)
        timer.start()
        # The peak of this child alone.
        _, status, usage = os.wait4(self.process.pid, 0)
        timer.cancel()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        for reader in readers:
            reader.join()
        self.status, self.memory = self.process.returncode, usage.ru_maxrss << 10
        self.seconds = time.monotonic() - begun
        self.stdout, self.stderr = kept["stdout"], kept["stderr"]

    def _read(self, kept, name):
        with getattr(self.process, name) as stream:
            kept[name] = stream.read()

    def _kill(self):
        self.hung = True
        os.kill(self.process.pid, signal.SIGKILL)

    def check(self, figures, label, secrets=()):
        """What holds of every run, whatever it was given."""
        said = self.stderr.decode("utf-8", "replace")
        figures.count("runs")
        figures.most("longest, s", round(self.seconds, 1))
        figures.most("most memory, MiB", self.memory >> 20)
        figures.expect(not self.hung, f"{label}: it hangs")
        figures.expect(self.status in (0, 1, 2) or self.hung, f"{label}: it ended with {self.status}: {said[-300:]}")
        figures.expect("panicked" not in said, f"{label}: {said[:300]}")
        figures.expect(self.memory < MAX_MEMORY, f"{label}: it took {self.memory >> 20} MiB")
        figures.expect(len(self.stderr) < MAX_SAID, f"{label}: it said {len(self.stderr)} bytes")
        found = UNPRINTABLE.search(said)
        figures.expect(not found, f"{label}: it shows {found and ascii(found[0])}: {ascii(said[:200])}")
        shown = [secret for secret in secrets if secret in self.stdout + self.stderr]
        figures.expect(not shown, f"{label}: it shows {len(shown)} parts of a secret")
        return said


class Service:
    """A program that runs until it is told to stop, and says where it listens."""

    def __init__(self, arguments, *, cwd, environment=None, preexec=None):
        self.log = Path(cwd) / f"{arguments[1]}.said"
        self._file = self.log.open("wb")
        self.process = subprocess.Popen(
            arguments, env={"PATH": os.environ["PATH"], **(environment or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self._file, preexec_fn=preexec, start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self):
        return self.process.pid

    def said(self, pattern, within=20):
        """What the first group of the pattern matches, once it is said."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            found = re.search(pattern, self.log.read_text(errors="replace"))
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"`{pattern}` was not said: {self.log.read_text(errors='replace')}")

    def memory(self):
        """What is resident, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) << 10

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._file.close()


class Stage:
    """A certificate, the emulator and the arguments by which the command reaches it."""

    def __init__(self, program, folder):
        self.program, self.folder = program, Path(folder)
        self.services = []
        subprocess.run([program, "demo", "--keep", self.folder / "demo"], check=True, capture_output=True, env={})
        emulator = self.start("emulate", "--config", "demo/emulator.toml", "--ca-file", "ca.pem")
        self.endpoint = emulator.said(r"listens on (\S+)")
        arns = [emulator.said(rf"(--{name}-arn \S+)").split() for name in ("trust-anchor", "profile", "role")]
        self.arns = [word for pair in arns for word in pair]
        self.identity = ["--certificate", "demo/certificate.pem", "--private-key", "demo/key.pem"]
        self.reach = ["--endpoint", self.endpoint, "--ca-bundle", "ca.pem"]

    def start(self, *arguments, **options):
        service = Service([self.program, *arguments], cwd=self.folder, **options)
        self.services.append(service)
        return service

    def serve(self, *more, **options):
        return self.start("serve", *self.identity, *self.arns, *self.reach, "--port", "0", *more, **options)

    def run(self, *arguments, within, **options):
        return Run([self.program, *arguments], within=within, cwd=self.folder, **options)

    def stop(self):
        for service in reversed(self.services):
            service.stop()


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def tls_context(folder):
    """A server's side of TLS for localhost; its authority is in `hostile.pem`."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(folder, "req", "-x509", *key, "-subj", "/CN=hostile", "-keyout", "hostile-key.pem", "-out", "hostile.pem")
    openssl(folder, "req", "-x509", *key, "-subj", "/CN=localhost", "-CA", "hostile.pem", "-CAkey", "hostile-key.pem",
            "-addext", "basicConstraints=critical,CA:false", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", "server-key.pem", "-out", "server.pem")  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(folder, "server.pem"), Path(folder, "server-key.pem"))
    return context


def raise_limits():
    """As many open files as this user may have: hundreds of connections need them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def exchange(address, request, *, timeout=5.0, limit=1 << 16):
    """Sends bytes and returns what comes back until the other side closes, or falls silent; `b""` if it refuses."""
    received = b""
    try:
        with socket.create_connection(address, timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(request)
            while len(received) < limit:
                part = connection.recv(1 << 14)
                if not part:
                    break
                received += part
    except OSError:
        pass  # A refusal: what matters is what came before it.
    return received
