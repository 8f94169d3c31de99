#!/usr/bin/env python3
"""The advisories about the crates that the locks name, kept as facts in advisories.toml.

    advisories.py read CHECKOUT      reads them anew from a checkout of RustSec's database
    advisories.py database FOLDER    lays them out below FOLDER as the database that cargo-deny opens

The database is a git repository that no package registry carries, so that a machine with registries alone cannot fetch
it. What is kept is what decides: an advisory's number, its crate, and the versions that have the fault. Crates about
which there is no advisory are named too: a lock with a crate that was never looked up is refused.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests/supply/advisories.toml"
# cargo-deny names the folder by the address of the database, which deny.toml leaves as it is.
DATABASE = "advisory-db-3157b0e258782691"
KEPT = ("id", "package", "date", "informational")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout


def locked() -> set[str]:
    """The crates of every lock, save our own."""
    names = set()
    for path in git(ROOT, "ls-files", "*Cargo.lock").split():
        packages = tomllib.loads((ROOT / path).read_text())["package"]
        names |= {package["name"] for package in packages if "source" in package}
    return names


def quoted(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def written(advisory: dict) -> str:
    """An advisory's facts, in the form of the database."""
    about, versions = advisory["advisory"], advisory["versions"]
    lines = ["[advisory]"]
    lines += [f'{key} = "{about[key]}"' for key in KEPT if key in about]
    lines += ["", "[versions]"]
    lines += [f"{key} = {quoted(versions.get(key, []))}" for key in ("patched", "unaffected")]
    return "\n".join(lines) + "\n"


def read(checkout: Path) -> None:
    names = locked()
    facts = []
    for path in git(checkout, "ls-tree", "-r", "--name-only", "HEAD", "crates").split():
        if path.split("/")[1] not in names:
            continue
        front = git(checkout, "show", f"HEAD:{path}").split("```toml\n", 1)[1].split("\n```", 1)[0]
        advisory = tomllib.loads(front)
        if "withdrawn" not in advisory["advisory"]:
            facts.append(advisory)
    facts.sort(key=lambda advisory: advisory["advisory"]["id"])
    commit, date = git(checkout, "log", "-1", "--format=%H %cs").split()
    lines = [
        "# Written by tests/supply/advisories.py; facts of RustSec's database (CC0, some of GitHub's, CC BY 4.0).",
        "# Each advisory is at https://rustsec.org/advisories/ID.html",
        f'commit = "{commit}"',
        f'date = "{date}"',
        "# What was looked up. About most of them there is no advisory.",
        "crates = [",
    ]
    line = "   "
    for name in sorted(names):
        word = f' "{name}",'
        if len(line) + len(word) > 120:
            lines.append(line)
            line = "   "
        line += word
    lines += [line, "]"]
    for advisory in facts:
        text = written(advisory).replace("[advisory]", "[[advisories]]\n[advisories.advisory]")
        lines += ["", text.replace("\n\n[versions]", "\n[advisories.versions]").rstrip()]
    FACTS.write_text("\n".join(lines) + "\n")
    print(f"{len(facts)} advisories about {len(names)} crates, as of {date}")


def database(folder: Path) -> None:
    facts = tomllib.loads(FACTS.read_text())
    unread = sorted(locked() - set(facts["crates"]))
    if unread:
        sys.exit(
            f"no advisories were looked up for the crates {', '.join(unread)}: "
            "run tests/supply/advisories.py read CHECKOUT with a checkout of RustSec's database"
        )
    target = folder / DATABASE
    if not (target / ".git").is_dir():
        target.mkdir(parents=True, exist_ok=True)
        git(target, "init", "--quiet")
    for old in target.glob("crates/*/*.md"):
        old.unlink()
    for advisory in facts["advisories"]:
        about = advisory["advisory"]
        path = target / "crates" / about["package"] / f"{about['id']}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        number = about["id"]
        path.write_text(f"```toml\n{written(advisory)}```\n\n# {number}\n\nhttps://rustsec.org/advisories/{number}.html\n")
    git(target, "add", "--all")
    name = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
    git(target, *name, "commit", "--quiet", "--allow-empty", "--message", facts["commit"])
    print(f"{len(facts['advisories'])} advisories about {len(facts['crates'])} crates, as of {facts['date']}")


match sys.argv[1:]:
    case ["read", checkout]:
        read(Path(checkout))
    case ["database", folder]:
        database(Path(folder))
    case _:
        sys.exit(__doc__)
