"""Every scenario of `tests/vectors/lifecycle`, through the binding that both clients stand on.

`tests/vectors/README.md` describes the format.
"""

import datetime
import email.utils
import json

import pytest
from rolesanywhere import _native
from support import ACCOUNT, REGION, VECTORS

FOLDER = VECTORS / "lifecycle"
SCENARIOS = sorted(FOLDER.glob("*.json"))
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
#: What an answer names the last action of.
ANSWERED = {
    **dict.fromkeys(("identity_loaded", "identity_failed", "identity_stale"), "load_identity"),
    **dict.fromkeys(("signed", "sign_failed"), "sign"),
    **dict.fromkeys(("answered", "not_answered"), "send"),
    **dict.fromkeys(("loaded", "unreadable"), "load"),
    **dict.fromkeys(("locked", "lock_held"), "lock"),
    "stored": "store",
    "unlocked": "unlock",
}


def iso(seconds):
    time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def read(name):
    return (FOLDER / "certificates" / name).read_bytes()


KEY, _ = _native.PrivateKey.read(read("leaf.pem"), read("key.pem"))


def chain(name):
    """The first certificate is the end entity; `crossed.pem` holds more."""
    return _native.CertificateChain.read(read(f"{name}.pem"))


class Scenario:
    def __init__(self, scenario, seed):
        self.scenario = scenario
        arn = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}"
        self.role = scenario.get("role", ROLE)
        call = _native.CreateSession(
            f"{arn}:trust-anchor/0d1c5b6e-0000-4000-8000-000000000000",
            f"{arn}:profile/7f3a2c11-0000-4000-8000-000000000000",
            self.role,
        )
        sharing = dict(scenario.get("sharing", {}))
        self.provider = _native.Provider(
            call,
            seed,
            policy={name: float(value) for name, value in scenario.get("policy", {}).items()},
            locks=sharing.pop("lock", None),
            **sharing,
            machine=scenario.get("machine"),
            counts_sleep=scenario.get("monotonic_counts_sleep", False),
        )
        start = scenario.get("start", "2026-11-27T12:00:00Z")
        self.start = datetime.datetime.fromisoformat(start.replace("Z", "+00:00")).timestamp()
        self.time = self.set_by = self.slept = 0
        self.actions, self.stored, self.notes = {}, {}, []

    def play(self):
        for number, step in enumerate(self.scenario["steps"]):
            assert step["at"] >= self.time
            self.time, self.place = step["at"], f"step {number + 1}: {step}"
            self.take(step)

    def take(self, step):
        if "clock_set_by" in step:
            self.set_by += step["clock_set_by"]
        elif "slept" in step:
            self.slept += step["slept"]
        elif "ask" in step:
            self.ask(step)
        elif "actions" in step:
            self.expect(step["actions"])
        elif "event" in step:
            self.event(step["event"], step)
        elif "renew" in step:
            self.renew(step["renew"])
        else:
            heard, self.notes = self.notes, []
            assert set(step["notes"]) <= set(heard), self.place

    def now(self):
        wall = round((self.start + self.time + self.set_by) * 1000)
        monotonic = round((self.time - self.slept + 1_000_000) * 1000)
        return wall, None if self.scenario.get("monotonic") is False else monotonic

    def service(self):
        return int(self.start + self.time + self.scenario.get("service_ahead", 0))

    def within(self, value, expected):
        if expected is None:
            return
        low, high = expected if isinstance(expected, list) else (expected, expected)
        assert low - 0.001 <= value <= high + 0.001, (value, expected, self.place)

    def length(self, window):
        return (window[1] - self.now()[0]) / 1000

    def ask(self, step):
        advice = self.provider.ask(*self.now())
        assert advice.kind == step["ask"], (self.place, self.provider.error())
        if advice.window is not None:
            assert self.provider.is_valid(*self.now()), self.place
            self.within(self.length(advice.window), step.get("for"))
        else:
            assert advice.session is None
            self.within(advice.seconds, step.get("for"))
        self.within(self.provider.valid_for(*self.now()), step.get("ends_in"))
        if "credentials" in step:
            session = advice.session or self.provider.session()
            assert session.access_key_id == step["credentials"], self.place
        if step["ask"] == "fail" or "error" in step:
            error = self.provider.error()
            assert error.code == step.get("error", error.code), self.place
            assert all(words in str(error) for words in step.get("says", [])), (self.place, error)

    def poll(self):
        while True:
            action = self.provider.poll(*self.now())
            if action is None:
                return None
            if action.kind != "note":
                self.actions[action.kind] = action
                if action.kind == "store":
                    self.stored["failed_at" in json.loads(action.entry)] = action.entry
                return action
            assert "secret" not in action.message
            self.notes.append(action.note)

    def expect(self, expected):
        for wanted in expected:
            action = self.poll()
            found = "none" if action is None else action.kind
            assert found == wanted["action"], (self.place, self.provider.error())
            if action is None:
                continue
            seconds = action.seconds if action.window is None else self.length(action.window)
            self.within(seconds, wanted.get("for"))
            self.within(action.ttl, wanted.get("ttl"))
            self.within(action.lease, wanted.get("lease"))
            if "holds" in wanted:
                holds = "failure" if "failed_at" in json.loads(action.entry) else "session"
                assert holds == wanted["holds"], self.place
            if "dated" in wanted:
                date = dict(action.request.headers)["x-amz-date"]
                date = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
                date = int(date.replace(tzinfo=datetime.timezone.utc).timestamp())
                self.within(date - self.service(), wanted["dated"])

    def event(self, kind, step):
        of = step["of"] if kind == "store_failed" else ANSWERED.get(kind)
        action = self.actions.get(of)
        arguments = [] if of is None else [(action.id if action else 0) - (step.get("stale") is True)]
        if kind == "forked":
            arguments = [77]
        elif kind == "identity_loaded":
            arguments.append(chain(step.get("certificate", "leaf")))
        elif kind == "signed":
            arguments.append(action.request.signature(KEY))
        elif kind == "answered":
            arguments += self.answer(step)
        elif kind == "loaded":
            arguments.append(self.entry(step.get("entry")))
        elif kind in ("identity_failed", "identity_stale", "sign_failed", "not_answered", "store_failed"):
            failure = _native.Failure(
                step.get("error", "transport_failed"), step.get("message", "it failed")
            )
            arguments += [step["loss"], failure] if kind == "not_answered" else [failure]
            if of == "load_identity":
                ago = step.get("modified_ago")
                arguments.append(None if ago is None else self.now()[0] - ago * 1000)
                stale = kind == "identity_stale"
                arguments.append(chain(step.get("certificate", "leaf")) if stale else None)
                kind = "identity_failed"
        getattr(self.provider, kind)(*self.now(), *arguments)

    def renew(self, answer):
        assert self.provider.ask(*self.now()).kind.endswith("drive"), self.place
        for action, event in (("load_identity", "identity_loaded"), ("sign", "signed")):
            self.expect([{"action": action}])
            self.event(event, {})
        self.expect([{"action": "send"}])
        self.event("answered", answer)
        if "status" not in answer:
            self.expect([{"action": "use"}, {"action": "none"}])

    def answer(self, step):
        status, date = step.get("status", 201), step.get("date", 0)
        headers = [("content-type", step.get("content_type", "application/json"))]
        if date is not False:
            if not isinstance(date, str):
                date = email.utils.formatdate(self.service() + date, usegmt=True)
            headers.append(("date", date))
        if "retry_after" in step:
            headers.append(("retry-after", str(step["retry_after"])))
        if "body" in step:
            return status, headers, step["body"].encode()
        if status != 201:
            headers.append(("x-amzn-errortype", step.get("code", "AccessDeniedException")))
            body = {"message": step.get("message", "no")}
            if "retry_after_seconds" in step:
                body["retryAfterSeconds"] = step["retry_after_seconds"]
            return status, headers, json.dumps(body).encode()
        end = step.get("expires_in", 3600)
        name = self.role.rpartition("/")[2]
        assumed = step.get("assumed_role", f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s")
        made = {
            "assumedRoleUser": {"arn": assumed},
            "credentials": {
                "accessKeyId": step.get("credentials", "ASIA1"),
                "secretAccessKey": "secret",
                "sessionToken": "secret-token",
                "expiration": end if isinstance(end, str) else iso(self.service() + end),
            },
        }
        if step.get("role_arn") is not False:
            made["roleArn"] = step.get("role_arn", self.role)
        return status, headers, json.dumps({"credentialSet": [made]}).encode()

    def entry(self, entry):
        if entry is None or isinstance(entry, str):
            stored = {"stored": False, "stored failure": True}
            return self.stored[stored[entry]] if entry in stored else entry and entry.encode()
        if "failed" in entry:
            made = {
                "version": 2,
                "code": entry["failed"],
                "message": entry.get("message", "no"),
                "failed_at": self.service() + entry.get("failed_in", 0),
                "until": self.service() + entry.get("until_in", 30),
            }
            return json.dumps(made).encode()
        made = {
            "version": entry.get("version", 2),
            "access_key_id": entry.get("credentials", "ASIASHARED"),
            "secret_access_key": "secret",
            "session_token": "secret-token",
            "expiration": iso(self.service() + entry.get("expires_in", 3600)),
            "issued_at": self.service() + entry.get("issued_in", 0),
            "role_arn": entry.get("role_arn", ROLE),
        }
        if "clock" in entry:
            clock, (wall, monotonic) = entry["clock"], self.now()
            made["clock"] = {
                "machine": clock["machine"],
                "offset_seconds": clock["offset"],
                "wall_milliseconds": wall + (clock.get("wall_was_off_by", 0) - clock["ago"]) * 1000,
                "monotonic_milliseconds": monotonic - clock["ago"] * 1000,
            }
        return json.dumps(made).encode()


# Jitter must not decide: each scenario is played with several seeds.
@pytest.mark.parametrize("seed", [0, 1, 0xFEEDBEEF, 2**64 - 1])
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_goes_as_it_is_written(path, seed):
    Scenario(json.loads(path.read_text()), seed).play()


def test_the_scenarios_are_there():
    assert len(SCENARIOS) >= 80


@pytest.mark.parametrize("case", json.loads((VECTORS / "sharing.json").read_text())["keys"], ids=lambda case: case["key"][:8])
def test_keys_of_shared_entries(case):
    """The same in every language, so that all share one session."""
    parameters = dict(case["parameters"])
    arns = [parameters.pop(name) for name in ("trust_anchor_arn", "profile_arn", "role_arn")]
    provider = _native.Provider(
        _native.CreateSession(*arns, **parameters),
        1,
        locks=True,
        identity=case["identity"],
        context=case["context"],
    )
    now = (1_795_780_800_000, 1)  # 2026-11-27T12:00:00Z
    assert provider.ask(*now).kind == "drive"
    action = provider.poll(*now)
    if action.kind == "load_identity":
        chain = _native.CertificateChain.read(read(case["certificates"]))
        provider.identity_loaded(*now, action.id, chain)
        while (action := provider.poll(*now)).kind == "note":
            pass
    assert (action.kind, action.key) == ("load", case["key"])
