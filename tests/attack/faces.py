"""Hostile answers to the packages for Python and Node, which have HTTP of their own.

PYTHON_FACE names the folder in which the Python package is, NODE_FACE the entry of the npm package.
"""

import json
import os
import subprocess
import sys

from hostile import REFUSED, SECRET, TOKEN, Listener, answer, cases, session
from stage import MAX_SAID, UNPRINTABLE, Figures, tls_context

#: For all the answers together, in seconds: of those that wait for an end, each takes two seconds, eight at once.
WITHIN = 240
#: How long one may take, in seconds: an attempt has two, however slowly an answer comes, and the machine may be busy.
LONGEST = 12


def drive(stage, figures, face, command, environment, listed, endpoints):
    given = {
        "arns": dict(zip(("trust_anchor_arn", "profile_arn", "role_arn"), stage.arns[1::2])),
        "certificate": str(stage.folder / "demo/certificate.pem"), "private_key": str(stage.folder / "demo/key.pem"),
        "ca_bundle": str(stage.folder / "hostile.pem"), "endpoints": endpoints,
    }  # fmt: skip
    process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], **environment}, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        printed, said = process.communicate(json.dumps(given), WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, said = process.communicate()
        figures.expect(False, f"{face}: it hangs; answered were {len(printed.splitlines())} of {len(endpoints)}")
    figures.expect(process.returncode == 0, f"{face}: it ended with {process.returncode}: {said[-500:]}")
    figures.expect(SECRET not in said and TOKEN not in said, f"{face}: it shows a secret on standard error")
    outcomes = {outcome["label"]: outcome for outcome in map(json.loads, printed.splitlines())}
    figures.expect(outcomes.keys() == endpoints.keys(), f"{face}: no outcome of {sorted(endpoints.keys() - outcomes.keys())}")
    figures.expect(outcomes.get("right", {}).get("whole"), f"{face}: the right answer is refused: {outcomes.get('right')}")
    for label, _, expected in listed:
        outcome = outcomes.get(label)
        if outcome is None:
            continue
        where = f"{face}, {label}"
        figures.count(f"answers to {face}")
        figures.most(f"longest of {face}, s", round(outcome["seconds"], 1))
        figures.expect(outcome["seconds"] < LONGEST, f"{where}: {outcome['seconds']:.0f} s")
        shown = outcome.get("shown", "")
        figures.expect(SECRET not in shown and TOKEN not in shown, f"{where}: it shows a secret: {shown[:200]}")
        if "whole" in outcome:
            figures.expect(expected != REFUSED, f"{where}: it gave credentials")
            figures.expect(outcome["whole"], f"{where}: the credentials are not whole")
            continue
        message = outcome["message"]
        figures.expect(outcome["refused"], f"{where}: {outcome['kind']}: {message[:200]}")
        found = UNPRINTABLE.search(message)
        figures.expect(not found, f"{where}: its message has {found and ascii(found[0])}: {ascii(message[:200])}")
        figures.expect(len(message) < MAX_SAID, f"{where}: its message has {len(message)} characters")


def attack(stage):
    figures = Figures("hostile answers to the packages")
    context = tls_context(stage.folder)
    elsewhere = Listener(context, answer(session()))
    listed = list(cases(elsewhere.url))
    listeners = {label: Listener(context, reply) for label, reply, _ in listed}
    listeners["right"] = Listener(context, answer(session()))
    endpoints = {label: listener.url for label, listener in listeners.items()}
    drive(stage, figures, "Python", [sys.executable, "-W", "error", "tests/attack/python_face.py"],
          {"PYTHONPATH": os.environ["PYTHON_FACE"], "PYTHONDONTWRITEBYTECODE": "1"}, listed, endpoints)  # fmt: skip
    drive(stage, figures, "Node", ["node", "--max-old-space-size=256", "tests/attack/node_face.mjs", os.environ["NODE_FACE"]],
          {"NODE_EXTRA_CA_CERTS": str(stage.folder / "hostile.pem")}, listed, endpoints)  # fmt: skip
    figures.expect(elsewhere.asked == 0, f"a redirect was followed {elsewhere.asked} times")
    return figures
