"""Looks into a wheel: what it holds, and what its native module asks of a system."""

import re
import subprocess
import sys
import tempfile
import zipfile

EXPECTED = {
    "__init__.py", "_base.py", "_botocore_http.py", "_driver.py", "_files.py", "_native.abi3.so", "_native.pyi",
    "_profile.py", "_sources.py", "_threads.py", "aio.py", "aioboto.py", "auth.py", "boto.py", "cache.py", "client.py",
    "credentials.py", "errors.py",
    "iam_rolesanywhere_session.py", "identity.py", "py.typed", "sigv4.py", "transport.py",
}  # fmt: skip
#: Two megabytes of AWS-LC and our own code; a wheel that is larger has taken something in.
MAX_WHEEL_LENGTH = 4 << 20


def main(path):
    tag = re.search(r"-cp39-abi3-[\w.]+\.whl$", path)
    assert tag, f"{path}: not an abi3 wheel for CPython 3.9 and newer"
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
        own = {name.split("/", 1)[1] for name in names if name.startswith("rolesanywhere/")}
        assert own == EXPECTED, f"{sorted(own ^ EXPECTED)}: more or less than expected"
        others = {name for name in names if ".dist-info/" not in name} - {
            f"rolesanywhere/{name}" for name in own
        }
        assert not others, others
        licenses = {name.rsplit("/", 1)[1] for name in names if ".dist-info/licenses/" in name}
        assert licenses == {"LICENSE-APACHE", "LICENSE-MIT"}, f"the licenses' texts: {licenses}"
        bills = [name for name in names if ".dist-info/sboms/" in name]
        assert not bills, f"{bills}: maturin's bills of materials are wrong here, see pyproject.toml"
        assert sum(info.compress_size for info in wheel.infolist()) < MAX_WHEEL_LENGTH
        module = wheel.extract("rolesanywhere/_native.abi3.so", folder)
        content = open(module, "rb").read()
        needed = subprocess.run(
            ["readelf", "-d", module], capture_output=True, text=True, check=True
        ).stdout
        libraries = set(re.findall(r"NEEDED.*\[(.*?)\]", needed))
        versions = subprocess.run(
            ["readelf", "-V", module], capture_output=True, text=True, check=True
        ).stdout
        glibc = max(
            (
                tuple(map(int, version.split(".")))
                for version in re.findall(r"GLIBC_([\d.]+)", versions)
            ),
            default=(),
        )
        header = subprocess.run(
            ["readelf", "-h", module], capture_output=True, text=True, check=True
        ).stdout
    machine = "AArch64" if "aarch64" in path else "X86-64"
    assert machine in header, f"{path}: the module is for another machine"
    # Nothing but the C library: no libpython, no OpenSSL, no libcurl, so no HTTP of its own.
    assert libraries <= {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2",
                         "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libc.so"}, libraries  # fmt: skip
    assert bool(glibc) != ("musl" in path), "musl has no versions, glibc has"
    if "manylinux2014" in path:
        assert glibc <= (2, 17), f"glibc {glibc} is wanted, the tag says 2.17"
    for leak in (b"/home/", b"/root/"):
        assert leak not in content, f"the build machine's paths ({leak.decode()}) are in the module"
    version = ".".join(map(str, glibc)) or "none"
    print(f"{len(content)} bytes of native module, {sorted(libraries)}, glibc {version}")


if __name__ == "__main__":
    main(sys.argv[1])
