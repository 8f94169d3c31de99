"""Nothing that was acknowledged is lost: the emulator is killed with SIGKILL at random moments while
boto3 writes, 200 times, and started again on the same state file."""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

import boto3
import botocore.exceptions
from botocore.config import Config

from support import BINARY, REGION, TRUST_POLICY

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "200"))
"""More resources than this are deleted rather than made, so that a round stays short."""
CROWDED = 12
"""What becomes of a call that the kill interrupted is not known: both is right."""
MAYBE = object()


class Model:
    """What was acknowledged: profiles by id, (duration, tags); the names of roles."""

    def __init__(self):
        self.profiles = {}
        self.roles = {}
        self.writes = 0
        self.in_flight = None

    def profile_states(self, profile_id):
        """What the profile may be: the acknowledged state, or the one that was in flight."""
        states = [self.profiles.get(profile_id)]
        if self.in_flight and self.in_flight[0] in (profile_id, MAYBE):
            states.append(self.in_flight[1])
        return states


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder, port):
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    with open(folder / "emulator.log", "ab") as log:
        process = subprocess.Popen(
            [
                BINARY,
                "emulate",
                "--plain-http",
                "--listen",
                f"127.0.0.1:{port}",
                "--config",
                str(folder / "emulator.toml"),
                "--state",
                str(folder / "state.redb"),
                "--ready-file",
                str(ready),
            ],
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 20
    while not ready.exists():
        assert process.poll() is None, (folder / "emulator.log").read_text()
        assert time.monotonic() < deadline, "the emulator does not start"
        time.sleep(0.002)
    return process


def write_once(ra, iam, model, chance):
    """One write of a random kind; the model changes when it is acknowledged."""
    mine = list(model.profiles)
    kinds = ["create", "role"] if len(mine) < CROWDED else ["delete"]
    if mine:
        kinds += ["update", "tag", "delete"]
    kind = chance.choice(kinds)
    if kind == "role":
        name = f"role-{chance.randrange(6)}"
        model.in_flight = None
        if name in model.roles:
            model.roles[name] = MAYBE
            iam.delete_role(RoleName=name)
            del model.roles[name]
        else:
            model.roles[name] = MAYBE
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_POLICY))
            model.roles[name] = True
        return
    profile_id = chance.choice(mine) if mine else None
    duration, tags = model.profiles.get(profile_id, (3600, {}))
    if kind == "create":
        duration, tags = chance.randrange(900, 43200), {}
        model.in_flight = (MAYBE, (duration, tags))
        made = ra.create_profile(name="crash", roleArns=[], durationSeconds=duration)
        profile_id = made["profile"]["profileId"]
    elif kind == "update":
        duration = chance.randrange(900, 43200)
        model.in_flight = (profile_id, (duration, tags))
        ra.update_profile(profileId=profile_id, durationSeconds=duration)
    elif kind == "tag":
        tags = {**tags, f"key-{chance.randrange(5)}": str(chance.random())}
        model.in_flight = (profile_id, (duration, tags))
        arn = f"arn:aws:rolesanywhere:{REGION}:123456789012:profile/{profile_id}"
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        ra.tag_resource(resourceArn=arn, tags=listed)
    else:
        model.in_flight = (profile_id, None)
        ra.delete_profile(profileId=profile_id)
    if kind == "delete":
        del model.profiles[profile_id]
    else:
        model.profiles[profile_id] = (duration, tags)
    model.in_flight = None


def check(ra, iam, model):
    """The emulator holds what the model says; then the model knows what became of the last call."""
    found = {}
    for page in ra.get_paginator("list_profiles").paginate():
        for profile in page["profiles"]:
            tags = ra.list_tags_for_resource(resourceArn=profile["profileArn"])["tags"]
            shown = {tag["key"]: tag["value"] for tag in tags}
            found[profile["profileId"]] = (profile["durationSeconds"], shown)
    for profile_id in {*found, *model.profiles}:
        have = found.get(profile_id)
        assert have in model.profile_states(profile_id), (profile_id, have, model.in_flight)
    roles = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    acknowledged = {name for name, state in model.roles.items() if state is True}
    uncertain = {name for name, state in model.roles.items() if state is MAYBE}
    assert acknowledged <= roles <= acknowledged | uncertain
    model.profiles, model.in_flight = found, None
    model.roles = dict.fromkeys(roles, True)


def test_nothing_acknowledged_is_lost(tmp_path):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    folder = pathlib.Path(tmp_path)
    (folder / "emulator.toml").write_text(f'account = "123456789012"\nregion = "{REGION}"\n')
    port = free_port()
    options = {
        "region_name": REGION,
        "endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
        "config": Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10),
    }
    ra, iam = boto3.client("rolesanywhere", **options), boto3.client("iam", **options)
    model = Model()
    interrupted = 0
    rounds = 0
    # On a busy machine many a round ends before its first answer: then there are more of them.
    while rounds < ROUNDS or model.writes < ROUNDS:
        rounds += 1
        assert rounds <= 5 * ROUNDS, f"{model.writes} writes in {rounds} rounds"
        process = start(folder, port)
        check(ra, iam, model)
        wait = chance.uniform(0.0, 0.08)

        def kill():
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            while True:
                write_once(ra, iam, model, chance)
                model.writes += 1
        except botocore.exceptions.BotoCoreError:
            # The connection broke. An answer that refuses, a ClientError, is none of these.
            interrupted += 1
        killer.join()
        process.wait()
    process = start(folder, port)
    check(ra, iam, model)
    process.kill()
    process.wait()
    print(f"{rounds} rounds, {model.writes} writes acknowledged")
    assert interrupted == rounds
