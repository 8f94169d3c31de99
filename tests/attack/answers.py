"""Hostile answers to every face: whatever comes back, each ends soon, takes little, shows nothing of it, and either has
whole credentials or refuses with an error of its own."""

import json
from concurrent.futures import ThreadPoolExecutor

from hostile import EITHER, REFUSED, SECRET, TOKEN, Listener, answer, cases, session
from stage import Figures, tls_context

#: How long a run may take, in seconds: three attempts of a request of two seconds each, the pauses between them, and room.
WITHIN = 60
THREADS = 6
TIMES = ["--connect-timeout", "2", "--request-timeout", "2"]


def check_credential_process(stage, figures, label, url, outcome):
    run = stage.run("credential-process", *stage.identity, *stage.arns, "--endpoint", url, "--ca-bundle", "hostile.pem",
                    "--no-cache", *TIMES, within=WITHIN)  # fmt: skip
    label = f"credential-process, {label}"
    said = run.check(figures, label)
    for secret in (SECRET, TOKEN):
        figures.expect(secret not in said, f"{label}: it shows a secret on standard error")
    if run.status != 0:
        figures.expect(run.stdout == b"", f"{label}: it failed and printed {run.stdout[:80]!r}")
        figures.expect(len(said.splitlines()) == 1 and said.startswith("rolesanywhere: "), f"{label}: it said {said[:200]!r}")
        return
    figures.expect(outcome != REFUSED, f"{label}: it printed credentials")
    try:
        printed = json.loads(run.stdout)
    except ValueError:
        figures.expect(False, f"{label}: it printed no JSON: {run.stdout[:200]!r}")
        return
    whole = all(isinstance(printed.get(name), str) and printed[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"))
    figures.expect(whole, f"{label}: it printed credentials that are not whole")


def check_update(stage, figures, label, url, number):
    """The credentials file holds what it held, or one whole profile more."""
    file = stage.folder / f"credentials-{number}"
    before = b"[other]\naws_access_key_id = A\naws_secret_access_key = b\n"
    file.write_bytes(before)
    run = stage.run("update", "--once", *stage.identity, *stage.arns, "--endpoint", url, "--ca-bundle", "hostile.pem", *TIMES,
                    within=WITHIN, environment={"AWS_SHARED_CREDENTIALS_FILE": str(file)})  # fmt: skip
    label = f"update, {label}"
    run.check(figures, label, (SECRET.encode(), TOKEN.encode()))
    after = file.read_bytes()
    figures.expect(after.startswith(before), f"{label}: another profile was changed: {after[:200]!r}")
    if run.status != 0:
        figures.expect(after == before, f"{label}: it failed and wrote {after[-200:]!r}")
    else:
        lines = [line for line in after[len(before) :].decode("utf-8", "replace").split("\n") if line]
        keys = [line.split(" =")[0] for line in lines[1:]]
        whole = lines[:1] == ["[default]"] and keys == ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
        figures.expect(whole, f"{label}: it wrote {after[len(before):][:200]!r}")


def attack(stage):
    figures = Figures("hostile answers to the command")
    context = tls_context(stage.folder)
    elsewhere = Listener(context, answer(session()))
    listed = list(cases(elsewhere.url))
    listeners = [Listener(context, reply) for _, reply, _ in listed]

    def one(number):
        label, _, outcome = listed[number]
        figures.count("answers")
        check_credential_process(stage, figures, label, listeners[number].url, outcome)
        # The lines of a file are where control characters do harm; what is only refused is refused alike.
        if outcome == EITHER or number % 4 == 0:
            check_update(stage, figures, label, listeners[number].url, number)

    honest = Listener(context, answer(session()))
    run = stage.run("credential-process", *stage.identity, *stage.arns, "--endpoint", honest.url, "--ca-bundle", "hostile.pem",
                    "--no-cache", within=WITHIN)  # fmt: skip
    figures.expect(run.status == 0, f"the right answer is refused: {run.stderr[:200]!r}")
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(one, range(len(listed))))
    figures.expect(elsewhere.asked == 0, f"a redirect was followed {elsewhere.asked} times")
    for listener in (*listeners, elsewhere, honest):
        listener.close()
    return figures
