"""Runs ParsePy's own tests against a server, and prints as JSON which passed, failed and were skipped.

Arguments: the address of the server without the mount path, which must be /1 as it was on parse.com; application id, REST key, master key."""

import io
import json
import sys
import types
import unittest
from urllib.request import Request, urlopen

from parse_rest import connection

root, app_id, rest_key, master_key = sys.argv[1:]


def send_here(request, timeout=None):
    """The address of parse.com is a constant of the package."""
    url = request.full_url.replace("https://api.parse.com", root)
    here = Request(url, request.data, dict(request.header_items()), method=request.get_method())
    return urlopen(here, timeout=timeout)


connection.urlopen = send_here
keys = types.ModuleType("settings_local")
keys.APPLICATION_ID, keys.REST_API_KEY, keys.MASTER_KEY = app_id, rest_key, master_key
sys.modules["settings_local"] = keys
from parse_rest import tests  # noqa: E402


class Result(unittest.TextTestResult):
    """Remembers what passed, too."""

    passed: list[str]

    def startTestRun(self):
        self.passed = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed.append(test._testMethodName)


# What the tests print is not meant for whoever reads the result.
output, sys.stdout = sys.stdout, io.StringIO()
suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
result = unittest.TextTestRunner(stream=sys.stderr, resultclass=Result).run(suite)
names = lambda found: sorted(test._testMethodName for test, _ in found)
json.dump({"passed": sorted(result.passed), "failed": names(result.errors + result.failures), "skipped": names(result.skipped)}, output)
