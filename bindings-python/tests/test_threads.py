"""Threads without, and with, the interpreter's lock: nothing but the standard library, so that it runs
on an interpreter that has no other package.

    python3.13t -m unittest test_threads        (from this folder, with the package installed)
"""

import collections
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import unittest

import rolesanywhere
from emulator import ARNS, REGION, Emulator
from rolesanywhere import Client, Credentials, DiskCache, Identity, _native
from rolesanywhere.sigv4 import RequestSigner

#: More than there are cores anywhere near, so that threads are interrupted between any two steps.
THREADS = 16

OPENSSL = "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = x\n"


def openssl(folder, name, *arguments):
    subprocess.run(
        ["openssl", "req", "-x509", "-config", "openssl.cnf", "-subj", f"/CN={name}", "-nodes"]
        + ["-days", "2", "-out", f"{name}.pem", "-keyout", f"{name}.key", *arguments],
        cwd=folder,
        capture_output=True,
        check=True,
    )


def in_threads(work, count=THREADS):
    """What `work(number)` returns in each of so many threads, which begin together; raises what any of
    them raises."""
    barrier, results, failures = threading.Barrier(count), [None] * count, []

    def run(number):
        try:
            barrier.wait()
            results[number] = work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def wait_until(condition):
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the other threads do not come along")
        time.sleep(0.001)


class Gate:
    """A cache that stores nothing and whose lock, held while a call is in flight, stops time."""

    def __init__(self):
        self._lock = threading.Lock()

    def load(self, key):
        return None

    def store(self, key, value, ttl_seconds):
        pass

    def lock(self, key):
        return self._lock


class Threads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = folder = pathlib.Path(cls.temporary.name)
        (folder / "openssl.cnf").write_text(OPENSSL)
        p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        end_entity = ["-addext", "basicConstraints=critical,CA:FALSE"]
        end_entity += ["-addext", "keyUsage=critical,digitalSignature", "-CA", "ca.pem", "-CAkey", "ca.key"]
        openssl(
            folder, "ca", *p256, "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        openssl(folder, "rsa", "-newkey", "rsa:2048", *end_entity)
        for name in ("one", "two"):
            openssl(folder, name, *p256, *end_entity)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def emulator(self):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        running = Emulator(folder, (self.folder / "ca.pem").read_bytes())
        self.addCleanup(running.close)
        return running

    def client(self, emulator, name="rsa", **options):
        return Client(
            **ARNS,
            certificate=self.folder / f"{name}.pem",
            private_key=self.folder / f"{name}.key",
            endpoint=emulator.endpoint,
            clock=emulator.clock,
            **options,
        )

    def test_the_lock_of_the_interpreter_stays_off(self):
        """An extension that did not declare itself free of the lock would have switched it on."""
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            self.assertFalse(sys._is_gil_enabled())
            self.assertNotIn("abi3", _native.__file__)
        else:
            self.assertIn("abi3", _native.__file__)

    def test_many_threads_and_one_provider(self):
        emulator = self.emulator()
        client = self.client(emulator, duration_seconds=3600)
        for number in range(1, 6):
            held = in_threads(lambda _: [client.credentials() for _ in range(2000)])
            self.assertEqual(emulator.sessions(), number, "one renewal is in flight")
            distinct = {credentials for each in held for credentials in each}
            # In the background window some still get the last ones; no one gets anything else.
            self.assertLessEqual(len(distinct), 1 if number == 1 else 2)
            for each in held:
                self.assertEqual(each[-1].expires_at, max(each, key=lambda c: c.expires_at).expires_at)
            # By turns into the background window and past the expiration.
            emulator.advance(2950 if number % 2 else 3700)

    def test_no_thread_gets_what_has_expired(self):
        """Readers never stop while the clock goes through hours of renewals."""
        emulator = self.emulator()
        gate = Gate()
        client = self.client(emulator, duration_seconds=900, cache=gate)
        done, counts = threading.Event(), collections.Counter()

        def work(number):
            if number == 0:
                try:
                    for _ in range(60):
                        before = dict(counts)
                        with gate.lock("time"):
                            emulator.advance(200)
                        # However busy the machine is: every reader reads at every time.
                        wait_until(
                            lambda: all(counts[n] > before.get(n, 0) + 1 for n in range(1, 8))
                        )
                finally:
                    done.set()
                return
            while not done.is_set():
                now = emulator.clock()
                try:
                    credentials = client.credentials()
                except rolesanywhere.RolesAnywhereError:
                    # The time ran on by minutes while something was under way, which thus took too long.
                    counts[number] += 1
                    continue
                # Asked at `now`: what is returned must outlast it.
                self.assertGreater(credentials.expires_at, int(now))
                counts[number] += 1

        in_threads(work, 8)
        self.assertEqual(len(counts), 7)
        self.assertGreater(emulator.sessions(), 10)

    def test_one_key_signs_in_many_threads(self):
        """RSASSA-PKCS1-v1_5 is deterministic, so every signature must be the same."""
        key, chain = Identity(self.folder / "rsa.pem", self.folder / "rsa.key").key, None
        chain = Identity(self.folder / "rsa.pem", self.folder / "rsa.key").chain
        unsigned = _native.CreateSession(*ARNS.values()).prepare(chain, 1_780_000_000)
        expected = unsigned.sign(key).headers
        for found in in_threads(lambda _: [unsigned.sign(key).headers for _ in range(50)]):
            self.assertTrue(all(headers == expected for headers in found))

    def test_one_request_signer_in_many_threads(self):
        first = Credentials("ASIAONE", "one", "token", 2_000_000_000)
        second = Credentials("ASIATWO", "two", "token", 2_000_000_000)
        arguments = ("GET", "https://example.com/a?b=c", [("x-amz-a", "1")], b"")

        def new():
            return RequestSigner("execute-api", REGION, clock=lambda: 1_780_000_000)

        expected = {held: new().sign(held, *arguments) for held in (first, second)}
        shared = new()

        def work(number):
            for turn in range(500):
                held = first if (turn + number) % 2 else second
                self.assertEqual(shared.sign(held, *arguments), expected[held])

        in_threads(work)

    def test_one_plan_of_renewals_in_many_threads(self):
        """Some ask, one drives: whoever is told to."""
        provider = _native.Provider(_native.CreateSession(*ARNS.values()), 7)
        failure = _native.Failure("invalid_key", "no")
        drives = []

        def work(number):
            for turn in range(2000):
                now = (turn * 1000, turn * 1000)
                advice = provider.ask(*now)
                self.assertIn(advice.kind, ("drive", "wait", "fail"))
                if advice.kind == "drive":
                    drives.append(number)
                    while (action := provider.poll(*now)) is not None:
                        if action.kind == "load_identity":
                            provider.identity_failed(*now, action.id, failure, None, None)

        in_threads(work)
        self.assertTrue(drives)
        self.assertEqual(provider.error().code, "invalid_key")

    def test_files_that_are_swapped_while_threads_read_them(self):
        """A generation is one folder behind a link, as cert-manager and Kubernetes lay them out. A key
        never signs for the other certificate."""
        home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for name in ("one", "two"):
            (home / name).mkdir()
            for suffix in ("pem", "key"):
                content = (self.folder / f"{name}.{suffix}").read_bytes()
                (home / name / f"client.{suffix}").write_bytes(content)
        (home / "current").symlink_to("one")
        provider = rolesanywhere.identity.IdentityFiles(
            str(home / "current" / "client.pem"), str(home / "current" / "client.key"), None, None, None
        )
        provider()
        done, seen = threading.Event(), set()
        call = _native.CreateSession(*ARNS.values())

        def work(number):
            if number == 0:
                try:
                    for turn in range(40):
                        (home / "next").symlink_to(("two", "one")[turn % 2])
                        (home / "next").replace(home / "current")
                        time.sleep(0.01)
                    wait_until(lambda: len(seen) == 2)
                finally:
                    done.set()
                return
            while not done.is_set():
                try:
                    identity = provider()
                except rolesanywhere.KeyMismatchError:
                    continue  # one file of each: in a client, the core has them read again
                unsigned = call.prepare(identity.chain, 1_780_000_000)
                signature = identity.key.sign(unsigned.string_to_sign)
                # Verified under the certificate's key: raises KeyMismatchError when they differ.
                unsigned.with_signature(_native.Signature.ecdsa_der(signature))
                seen.add(identity.chain.end_entity.subject)

        in_threads(work, 8)
        self.assertEqual(len(seen), 2)

    def test_bytes_that_change_while_they_are_read(self):
        """A `bytearray` that another thread resizes is copied whole or refused, never read past."""
        content = (self.folder / "rsa.pem").read_bytes()
        shared, done = bytearray(content), threading.Event()

        def work(number):
            if number == 0:
                for _ in range(2000):
                    del shared[:]
                    shared.extend(content)
                done.set()
                return
            while not done.is_set():
                try:
                    chain = _native.CertificateChain.read(shared)
                except rolesanywhere.RolesAnywhereError:
                    continue
                self.assertEqual(chain.end_entity.subject, "CN=rsa")

        in_threads(work, 4)

    def test_threads_share_a_cache_on_disk(self):
        emulator = self.emulator()
        cache = DiskCache(tempfile.mkdtemp(dir=self.folder))

        def work(number):
            return self.client(emulator, cache=cache).credentials().access_key_id

        self.assertEqual(len(set(in_threads(work))), 1)
        self.assertEqual(emulator.sessions(), 1)

    def test_names_are_imported_by_many_threads_at_once(self):
        program = (
            "import threading, rolesanywhere\n"
            "barrier, failures = threading.Barrier(8), []\n"
            "def work():\n"
            "    barrier.wait()\n"
            "    try:\n"
            "        rolesanywhere.Client, rolesanywhere.AsyncClient, rolesanywhere.errors\n"
            "    except BaseException as error:\n"
            "        failures.append(error)\n"
            "threads = [threading.Thread(target=work) for _ in range(8)]\n"
            "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
            "assert not failures, failures\n"
        )
        for _ in range(5):
            subprocess.run([sys.executable, "-c", program], check=True)


if __name__ == "__main__":
    unittest.main()
