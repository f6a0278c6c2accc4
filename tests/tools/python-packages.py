#!/usr/bin/env python3
"""Installs the packages of a requirements file into a virtual environment below the directory given first, unless they
are there already, and prints where its programs are."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

PIP, PIP_SHA256 = "26.3", "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


def say(text):
    print(f"python-packages: {text}", file=sys.stderr)


def fetch_pip(folder):
    """Debian has Python without pip: the index is one request, the wheel another."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    request = urllib.request.Request(f"{index}/pip/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    url = next(file["url"] for file in files if file["hashes"].get("sha256") == PIP_SHA256)
    wheel = Path(folder) / f"pip-{PIP}-py3-none-any.whl"
    with urllib.request.urlopen(url, timeout=300) as answer, open(wheel, "wb") as out:
        shutil.copyfileobj(answer, out)
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != PIP_SHA256:
        sys.exit(f"python-packages: pip has SHA-256 {found}, expected {PIP_SHA256}")
    return wheel


def install(home, requirements):
    python = home / "bin" / "python"
    options = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
               "--requirement", str(requirements)]
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        command = [sys.executable, "-m", "pip", "--python", str(python), *options]
        subprocess.run(command, stdout=sys.stderr, check=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        wheel = fetch_pip(folder)
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
