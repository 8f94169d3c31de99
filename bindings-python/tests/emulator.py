"""The emulator as a process: the standard library alone, for interpreters that have nothing else."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
ACCOUNT = "123456789012"
REGION = "eu-west-1"
ANCHOR_ID = "11111111-1111-4111-8111-111111111111"
PROFILE_ID = "22222222-2222-4222-8222-222222222222"
TRUST_ANCHOR = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}:trust-anchor/{ANCHOR_ID}"
PROFILE = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}:profile/{PROFILE_ID}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
ARNS = {"trust_anchor_arn": TRUST_ANCHOR, "profile_arn": PROFILE, "role_arn": ROLE}

CONFIG = f"""
account = "{ACCOUNT}"
region = "{REGION}"
[[trust_anchor]]
name = "ca"
id = "{ANCHOR_ID}"
pem_file = "ca.pem"
[[profile]]
name = "app"
id = "{PROFILE_ID}"
roles = ["app"]
duration_seconds = 43200
accept_role_session_name = true
[[role]]
name = "app"
max_session_duration = 43200
[[role]]
name = "other"
"""


class Emulator:
    """The emulator, on a clock of its own."""

    def __init__(self, folder, ca_pem, *, tls=False, config=CONFIG):
        program = os.environ.get(
            "ROLESANYWHERE_TEST_EMULATOR", str(ROOT / "target" / "debug" / "examples" / "test-emulator")
        )
        if not os.path.exists(program):
            raise FileNotFoundError(
                f"{program}: build it with `cargo build -p rolesanywhere-emulator --example test-emulator`"
            )
        (folder / "ca.pem").write_bytes(ca_pem)
        (folder / "emulator.toml").write_text(config)
        self._process = subprocess.Popen(
            [program, str(folder / "emulator.toml"), *(["tls"] if tls else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.Lock()
        started = json.loads(self._process.stdout.readline())
        self.endpoint = started["endpoint"]
        self.ca_pem = started["ca_pem"]
        self.offset = 0

    def _ask(self, line):
        with self._lock:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def advance(self, seconds):
        """Moves the emulator's clock and `clock`."""
        self.offset += seconds
        return self._ask(f"advance {seconds}")

    def clock(self):
        return time.time() + self.offset

    def records(self):
        return self._ask("records")

    def sessions(self):
        """How many CreateSession calls have succeeded."""
        return sum(
            record["operation"] == "CreateSession" and record["refused"] is None
            for record in self.records()
        )

    def calls(self):
        """How many CreateSession calls have come."""
        return sum(record["operation"] == "CreateSession" for record in self.records())

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()
