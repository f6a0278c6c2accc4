#!/usr/bin/env python3
"""Runs a command beside servers that speak like the object stores of Amazon, Google and Microsoft.

    clouds.py CACHE COMMAND…

moto (S3) comes from PyPI and is kept in CACHE; azurite (Azure) comes from npm, as does the file adapter the tests compare
with, and is kept in compat/files. For Google, `google.py` renames the headers of its XML API and hands requests on to moto. The command
finds them at REPARSE_TEST_S3, REPARSE_TEST_AZURE and REPARSE_TEST_GOOGLE; each has an empty bucket `parse-files`.
Everything is kept in memory and gone at the end."""

import base64
import hashlib
import hmac
import os
import socket
import subprocess
import sys
import time
import urllib.request
from email.utils import formatdate
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUCKET = "parse-files"
# The account every Azure emulator has; no secret.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(method, url, body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def wait_for(port, process, name):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"clouds: {name} ended with status {process.returncode}")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"clouds: {name} does not listen")


def make_container(url):
    """Azure's requests are signed: Shared Key, version 2021-08-06."""
    date, version = formatdate(usegmt=True), "2021-08-06"
    lines = ["PUT"] + [""] * 11 + [f"x-ms-date:{date}", f"x-ms-version:{version}",
                                   f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}", "restype:container"]
    digest = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    headers = {"x-ms-date": date, "x-ms-version": version,
               "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"}
    call("PUT", f"{url}/{ACCOUNT}/{BUCKET}?restype=container", headers=headers)


def npm_packages():
    """Installs the packages of compat/files unless they are there."""
    folder = HERE.parents[1] / "compat" / "files"
    stamp = folder / "node_modules" / ".installed"
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != lock:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], check=True, cwd=folder,
                       stdout=sys.stderr)
        stamp.write_text(lock, encoding="utf-8")
    return folder / "node_modules" / ".bin"


def main():
    cache, command = Path(sys.argv[1]).resolve(), sys.argv[2:]
    tool = [sys.executable, str(HERE / "python-packages.py"), str(cache), str(HERE / "clouds-requirements.txt")]
    programs = Path(subprocess.run(tool, check=True, capture_output=True, text=True).stdout.strip())
    azurite = npm_packages() / "azurite-blob"
    ports = {name: free_port() for name in ("S3", "AZURE", "GOOGLE")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    commands = {
        "S3": [programs / "moto_server", "-H", "127.0.0.1", "-p", ports["S3"]],
        "AZURE": [azurite, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--blobHost", "127.0.0.1",
                  "--blobPort", ports["AZURE"]],
        "GOOGLE": [sys.executable, HERE / "google.py", ports["GOOGLE"], urls["S3"]],
    }
    processes = []
    try:
        for name, line in commands.items():
            log = open(cache / f"cloud-{name.lower()}.log", "w", encoding="utf-8")
            process = subprocess.Popen([str(word) for word in line], stdout=log, stderr=log, cwd=cache)
            processes.append(process)
            wait_for(ports[name], process, line[0])
        call("PUT", f"{urls['S3']}/{BUCKET}")
        make_container(urls["AZURE"])
        variables = {f"REPARSE_TEST_{name}": url for name, url in urls.items()}
        sys.exit(subprocess.run(command, env=os.environ | variables, check=False).returncode)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


main()
