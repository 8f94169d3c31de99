#!/usr/bin/env python3
"""What the locks of npm and PyPI must say, as far as it can be seen without a network.

Advisories about their packages are not looked up here: npm's are behind a service, PyPI's in a database that no package
carries. README.md beside this file has the commands for a machine that reaches both.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What a package that others install may bring along. Tools of tests are not shipped.
LICENCES = {"0BSD", "Apache-2.0", "BSD-3-Clause", "ISC", "MIT"}

faults: list[str] = []


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [Path(name) for name in listed.stdout.split("\n") if name]


def check_npm(path: Path) -> int:
    """Every package has a digest, none comes from elsewhere than the registry, and what is shipped is licensed freely."""
    lock = json.loads((ROOT / path).read_text())
    packages = {name: about for name, about in lock["packages"].items() if name and not about.get("link")}
    for name, about in packages.items():
        where = f"{path}: `{name}`"
        if not about.get("integrity", "").startswith("sha512-"):
            faults.append(f"{where} has no SHA-512: remove it and run `npm install --package-lock-only`")
        if "resolved" in about:
            faults.append(f"{where} names an address: lock it with `--omit-lockfile-registry-resolved`")
        if "deprecated" in about:
            faults.append(f"{where} is deprecated: {about['deprecated']}")
        if not about.get("dev") and about.get("license") not in LICENCES:
            faults.append(f"{where} is under `{about.get('license')}`: choose another, or allow it in {Path(__file__).name}")
    return len(packages)


def check_python(path: Path) -> int:
    """Every package has one version and digests, and none comes from an address."""
    text = re.sub(r"(?m)^\s*#.*\n?", "", (ROOT / path).read_text())
    requirements = [line for line in text.replace("\\\n", " ").split("\n") if line.strip()]
    for line in requirements:
        if not re.match(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9,._-]+\])?==\S+", line):
            faults.append(f"{path}: `{line[:60]}` is no package with one version")
        if "--hash=sha256:" not in line:
            faults.append(f"{path}: `{line[:60]}` has no SHA-256: lock it with --generate-hashes")
    return len(requirements)


def check_commands(path: Path) -> int:
    """Packages are installed without their install scripts, and by digest alone."""
    commands = 0
    for number, line in enumerate((ROOT / path).read_text(errors="replace").replace("\\\n", " ").split("\n"), 1):
        if line.lstrip().startswith(("#", "//", "*")):
            continue
        for tool, flag in (("npm ci", "--ignore-scripts"), (r"pip\S* (?:install|download)\b(?=.* -r )", "--require-hashes")):
            if re.search(rf"\b{tool}", line):
                commands += 1
                if flag not in line:
                    faults.append(f"{path}:{number}: `{line.strip()[:80]}` is without {flag}")
    return commands


packages = sum(check_npm(path) for path in tracked("*package-lock.json"))
print(f"npm: {packages} packages locked")
requirements = [path for path in tracked("*.txt") if "--hash=sha256:" in (ROOT / path).read_text() or path.name.startswith("requirements")]
print(f"PyPI: {sum(check_python(path) for path in requirements)} packages locked in {len(requirements)} files")
scripts = [path for path in tracked() if path.suffix in ("", ".js", ".mjs", ".py", ".sh") and (ROOT / path).is_file() and path.parts[1:2] != ("fuzz",)]
commands = sum(check_commands(path) for path in scripts)
print(f"{commands} commands that install from a lock")
if not (packages and requirements and commands):
    faults.append("a kind of lock was not found: the check has nothing to look at")
if faults:
    sys.exit("\n".join(faults))
