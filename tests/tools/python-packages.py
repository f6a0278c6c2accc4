#!/usr/bin/env python3
"""Installs the packages of a requirements file into a virtual environment below the directory given first, unless they
are there already, and prints where its programs are."""

import fcntl
import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import pypi

PIP, PIP_SHA256 = "26.3", "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


def say(text):
    print(f"python-packages: {text}", file=sys.stderr)


def install(home, requirements):
    python = home / "bin" / "python"
    options = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
               "--requirement", str(requirements)]
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        command = [sys.executable, "-m", "pip", "--python", str(python), *options]
        subprocess.run(command, stdout=sys.stderr, check=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / f"pip-{PIP}-py3-none-any.whl"
        pypi.fetch("pip", PIP_SHA256, wheel)
        subprocess.run([str(python), f"{wheel}/pip", *options], stdout=sys.stderr, check=True)


def main():
    cache, requirements = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    version = ".".join(str(part) for part in sys.version_info[:2])
    key = hashlib.sha256(requirements.read_bytes() + version.encode()).hexdigest()[:12]
    home = cache / f"python-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / f"python-{key}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = home / ".installed"
        if not done.exists():
            say(f"installing {requirements.name} with Python {version}")
            venv.create(home, clear=True, with_pip=False, symlinks=True)
            install(home, requirements)
            done.touch()
    print(home / "bin")


main()
