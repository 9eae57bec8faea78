# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The lower bounds of what is required are the versions that are tested."""

import configparser
import pathlib
import re
import subprocess
import sys
from importlib import metadata

import testtools

ROOT = pathlib.Path(__file__).parents[3]
OLDEST = "2023.1"
REQUIREMENT = re.compile(
    r"^(?P<name>[A-Za-z0-9_.-]+)(?:\[[a-z]+\])?>=(?P<version>[0-9.]+)"
)
CONSTRAINT = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)===(?P<version>[^;\s]+)")


def _pairs(pattern, text):
    """Pairs (normalized name, version) of the lines that match the pattern."""
    for line in text.splitlines():
        found = pattern.match(line.strip())
        if found:
            yield re.sub("[-_.]+", "-", found["name"]).lower(), found["version"]


def _read(*parts):
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def _constraints():
    """Name to version: what ``tox -e oldest`` installs."""
    found = dict(_pairs(CONSTRAINT, _read("tools", "constraints", f"{OLDEST}.txt")))
    more = _read("tools", "constraints", f"{OLDEST}-more.txt")
    return found | dict(_pairs(CONSTRAINT, more))


def _extra(name):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["extras"][name]


class LowerBoundTest(testtools.TestCase):
    def _differing(self, text):
        """The lower bounds in a text, and the versions of the oldest release."""
        tested = _constraints()
        bounds = dict(_pairs(REQUIREMENT, text))
        self.assertNotEqual({}, bounds)
        return {
            name: (version, tested.get(name))
            for name, version in bounds.items()
            if version != tested.get(name)
        }

    def test_the_bounds_of_users_are_the_oldest_release(self):
        self.assertEqual({}, self._differing(_read("requirements.txt")))
        self.assertEqual({}, self._differing(_extra("sql")))

    def test_the_bounds_of_the_tests_are_no_newer(self):
        unconstrained = {"hypothesis"}
        differing = self._differing(_read("test-requirements.txt"))
        self.assertEqual(unconstrained, set(differing))

    def test_every_import_of_the_product_is_required(self):
        required = dict(_pairs(REQUIREMENT, _read("requirements.txt")))
        self.assertEqual(set(_imported()), set(required))

    def test_tox_uses_the_oldest_release(self):
        config = configparser.ConfigParser()
        config.read(ROOT / "tox.ini")
        used = config["testenv:oldest"]["constraints"].split()
        expected = [
            f"{{toxinidir}}/tools/constraints/{OLDEST}{more}.txt"
            for more in ("", "-more")
        ]
        self.assertEqual(expected, used)

    def test_the_log_of_the_oldest_and_the_newest_clients_begins_with_versions(self):
        config = configparser.ConfigParser()
        config.read(ROOT / "tox.ini")
        first, *_ = config["clients"]["commands"].strip().splitlines()
        self.assertEqual("python {toxinidir}/tools/versions.py", first)
        argv = [sys.executable, str(ROOT / "tools" / "versions.py")]
        shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        versions = dict(line.split()[:2] for line in shown.splitlines())
        for name in ("cliff", "osc-lib", "python-troveclient", "requests"):
            self.assertEqual(metadata.version(name), versions[name])


#: Packages whose name differs from what is imported.
DISTRIBUTIONS = {
    "keystoneauth1": "keystoneauth1",
    "openstack": "openstacksdk",
    "osc_lib": "osc-lib",
    "oslo_utils": "oslo-utils",
    "troveclient": "python-troveclient",
    "yaml": "pyyaml",
}
#: Imported only if installed: the extra sql, and the shell that loads the plugin.
OPTIONAL = {"pymysql", "psycopg", "openstackclient"}


def _imported():
    """The distributions that the product imports, without the sandbox and tests."""
    package = ROOT / "trove_ext"
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] in {"tests", "sandbox"}:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(r"\s*(?:from|import) ([a-z_0-9]+)[. \n]?", line)
            name = found and found[1]
            if name in THIRD_PARTY:
                yield DISTRIBUTIONS.get(name, name)


THIRD_PARTY = {
    "cliff",
    "jsonschema",
    "keystoneauth1",
    "openstack",
    "osc_lib",
    "oslo_utils",
    "requests",
    "rich",
    "troveclient",
    "yaml",
}
