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

"""The public names resolve, cost nothing before they are used, and carry data."""

import ast
import importlib
import pathlib
import subprocess
import sys
import types

import testtools

import trove_ext

#: What nobody who only imports the package pays for.
COSTLY = {"troveclient", "keystoneauth1", "requests", "openstack", "oslo_utils"}


def imported_by(code):
    """The modules that a new process has imported after this code."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            f"{code}\nimport sys\nprint(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


class TestNames(testtools.TestCase):
    def test_every_name_resolves_to_something_of_that_name(self):
        for name in trove_ext.__all__:
            value = getattr(trove_ext, name)
            self.assertEqual(name, value.__name__)
            self.assertTrue(value.__doc__, name)

    def test_type_checkers_see_the_same_names(self):
        tree = ast.parse(pathlib.Path(trove_ext.__file__).read_text(encoding="utf-8"))
        typed = {
            alias.name: node.module.removeprefix("trove_ext.")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module.startswith("trove_ext.")
            for alias in node.names
        }
        self.assertEqual(typed, trove_ext._HOMES)
        self.assertEqual(sorted(typed), sorted(trove_ext.__all__))

    def test_an_unknown_name_is_an_attribute_error(self):
        self.assertRaises(AttributeError, getattr, trove_ext, "disconnect")

    def test_dir_lists_them(self):
        self.assertLessEqual(set(trove_ext.__all__), set(dir(trove_ext)))

    def test_no_submodule_has_the_name_of_one(self):
        for name in trove_ext.__all__:
            found = importlib.util.find_spec(f"trove_ext.{name}")
            self.assertIsNone(found, name)

    def test_what_they_return_is_public_too(self):
        private = {
            f"{name}: {part}"
            for name, method in vars_of(trove_ext.Connection)
            for part in words(method)
            if part[0].isupper() and part not in KNOWN and part not in trove_ext.__all__
        }
        self.assertEqual(set(), private)


#: Names in annotations that are Python's.
KNOWN = {"Any", "Literal", "None", "Sequence"}


def vars_of(kind):
    for name in dir(kind):
        value = getattr(kind, name)
        if not name.startswith("_") and isinstance(value, types.FunctionType):
            yield name, value


def words(method):
    """The names in the annotations of a method, which are text."""
    for annotation in method.__annotations__.values():
        for node in ast.walk(ast.parse(annotation)):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.Attribute):
                yield node.attr


class TestCost(testtools.TestCase):
    def test_the_package_imports_nothing_that_costs(self):
        found = imported_by("import trove_ext")
        self.assertEqual(set(), found & COSTLY)
        ours = {name for name in found if name.startswith("trove_ext.")}
        self.assertEqual(set(), ours)

    def test_an_exception_imports_no_client(self):
        found = imported_by("from trove_ext import NotFoundError")
        self.assertEqual(set(), found & COSTLY)

    def test_connect_imports_openstacksdk_only_for_the_name_of_a_cloud(self):
        found = imported_by("from trove_ext import connect")
        self.assertNotIn("openstack", found)
        self.assertIn("keystoneauth1", found)

    def test_the_library_imports_no_command_line(self):
        found = imported_by("import trove_ext\nfrom trove_ext import *")
        self.assertEqual(set(), found & {"cliff", "osc_lib", "rich", "argparse"})
