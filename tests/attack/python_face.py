"""Asks each endpoint of a list for a session through the Python package, and prints what came of it, a line of JSON each.

Its standard input: {"arns": {...}, "certificate": path, "private_key": path, "ca_bundle": path, "endpoints": {label: URL}}.
"""

import json
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import rolesanywhere

given = json.load(sys.stdin)


def ask(item):
    label, endpoint = item
    begun = time.monotonic()
    try:
        client = rolesanywhere.Client(
            **given["arns"], certificate=given["certificate"], private_key=given["private_key"], endpoint=endpoint,
            ca_bundle=given["ca_bundle"], timeout=2.0, max_attempts=1,
        )  # fmt: skip
        credentials = client.credentials()
        outcome = {"whole": all((credentials.access_key_id, credentials.secret_access_key, credentials.session_token)),
                   "shown": repr(credentials)}  # fmt: skip
    except Exception as error:  # noqa: BLE001 - what kind it is, is what is asked
        outcome = {"refused": isinstance(error, rolesanywhere.RolesAnywhereError), "kind": type(error).__name__,
                   "message": str(error), "shown": "".join(traceback.format_exception(error))}  # fmt: skip
    return {"label": label, "seconds": time.monotonic() - begun, **outcome}


with ThreadPoolExecutor(8) as threads:
    for outcome in threads.map(ask, given["endpoints"].items()):
        print(json.dumps(outcome), flush=True)
