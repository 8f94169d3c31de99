"""What packaging/sbom does, in the environment that it makes.

cargo-cyclonedx is not used: it resolves the features of the whole workspace, and so names crates that a package is built
without, and it writes the folders of the build machine. `cargo tree` resolves as the build does.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
LINE = re.compile(r"(?P<depth>\d+) (?P<name>\S+) v(?P<version>\S+)")
#: For the serial number, which the content decides.
NAMESPACE = uuid.UUID("6f8d3c52-5a0e-4a43-9f0c-2d7b8f7e4c11")


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def licences(expression: str | None) -> list:
    # Cargo's old form of `OR`.
    return [LicenseFactory().make_from_string(expression.replace("/", " OR "))] if expression else []


def sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def crates(package: str, options: list[str]) -> tuple[list[tuple[str, str]], set[tuple]]:
    """The crates that are linked in, the package first, and the pairs of those that ask and are asked for.

    Procedural macros and build scripts run in the compiler, and are no part of what it makes.
    """
    tree = run("cargo", "tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro", "--prefix", "depth",
               "--format", " {p}", *options)  # fmt: skip
    found, edges, path = [], set(), []
    for line in tree.splitlines():
        if not (match := LINE.match(line)):
            continue
        crate = (match["name"], match["version"])
        del path[int(match["depth"]) :]
        if path:
            edges.add((path[-1], crate))
        path.append(crate)
        if crate not in found:
            found.append(crate)
    return found, edges


def bill(artefact: Path, package: str, options: list[str]) -> Bom:
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1"))
    about = {(entry["name"], entry["version"]): entry for entry in metadata["packages"]}
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in locked}
    found, edges = crates(package, options)

    components = {}
    for name, version in found:
        checksum = checksums[name, version]
        purl = PackageURL("cargo", None, name, version)
        components[name, version] = Component(
            name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl),
            description=about[name, version]["description"], licenses=licences(about[name, version]["license"]),
            hashes=[sha256(checksum)] if checksum else [],
        )  # fmt: skip
    rust = re.search(r"release: (\S+)", run("rustc", "--version", "--verbose"))[1]
    purl = PackageURL("generic", None, "rust-std", rust)
    standard = Component(
        name="rust-std", version=rust, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl),
        description="Rust's standard library", licenses=licences("MIT OR Apache-2.0"),
    )  # fmt: skip

    first = components[found[0]]
    root = Component(
        name=artefact.name, version=first.version, type=ComponentType.FILE, bom_ref=artefact.name,
        description=first.description, licenses=first.licenses,
        hashes=[sha256(hashlib.sha256(artefact.read_bytes()).hexdigest())],
    )  # fmt: skip
    bom = Bom(components=[*components.values(), standard])
    bom.metadata.component = root
    bom.metadata.properties = [Property(name="cargo:options", value=" ".join(options))]
    bom.register_dependency(root, [first, standard])
    for crate in found:
        bom.register_dependency(components[crate], [components[to] for from_, to in edges if from_ == crate])
    return bom


def main(output: Path, artefact: Path, package: str, *options: str) -> None:
    bom = bill(artefact, package, list(options))
    # Nothing of the moment: the same build gives the same bytes.
    bom.metadata.timestamp = None
    bom.serial_number = NAMESPACE
    bom.serial_number = uuid.uuid5(NAMESPACE, JsonV1Dot6(bom).output_as_string())
    text = JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault:
        sys.exit(f"the bill of materials of `{artefact}` is not valid: {fault}")
    output.write_text(text)
    print(f"{output}: {len(bom.components)} components")


if len(sys.argv) < 4:
    sys.exit("usage: packaging/sbom OUTPUT ARTEFACT PACKAGE [CARGO-TREE-OPTION…]")
main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
