"""Fails where a public symbol has no documentation, or nothing was looked at: `undocumented.py GRAPH.json…`, the
symbol graphs that `swift package dump-symbol-graph` writes."""

import json
import sys

counted, missing = 0, []
for path in sys.argv[1:]:
    with open(path) as file:
        for symbol in json.load(file)["symbols"]:
            counted += 1
            lines = symbol.get("docComment", {}).get("lines", [])
            if not any(line["text"].strip() for line in lines):
                missing.append(".".join(symbol["pathComponents"]))
for name in missing:
    print(f"`{name}` is not documented", file=sys.stderr)
print(f"{counted} public symbols in {len(sys.argv) - 1} modules")
sys.exit(bool(missing) or counted == 0)
