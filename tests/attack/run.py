"""Repeats the attack: `run.py PROGRAM`. Prints a line of figures for each part, and every fault."""

import importlib
import sys
import tempfile
import traceback

from stage import Stage, raise_limits

PARTS = ("http_attack", "answers", "faces", "files", "memory")


def main(program, names):
    raise_limits()
    failed = passed = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="attack-") as folder:
            stage = None
            try:
                stage = Stage(program, folder)
                figures = importlib.import_module(name).attack(stage)
            except Exception:
                traceback.print_exc()
                failed += 1
                continue
            finally:
                if stage is not None:
                    stage.stop()
        print(figures, flush=True)
        for fault in figures.faults[:40]:
            print(f"  FAULT {fault}", flush=True)
        failed += bool(figures.faults)
        passed += not figures.faults
    print(f"{passed} passed, {failed} failed")
    return failed == 0


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1], sys.argv[2:] or PARTS) else 1)
