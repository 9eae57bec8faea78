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

"""The measures of the code: how long a function, a module and a command may be.

A limit that a part of the code can't keep is not raised: what is excepted is named
here, with its reason.
"""

import ast
import functools
import pathlib
import statistics
from typing import Any, NamedTuple

import testtools

from trove_ext.tests.unit.test_commands import command_classes

PACKAGE = pathlib.Path(__file__).parents[2]

#: Lines, its decorators aside.
LONGEST_FUNCTION = 60
LONGEST_MODULE = 400
#: Lines from ``class`` to its last one, docstring included.
LONGEST_COMMAND = 70
MEDIAN_COMMAND = 40
MOST_ATTRIBUTES = 8

#: Records, which do nothing by themselves: what a resource or a request consists of.
RECORDS = {
    "follow_up.Action": "a field for each argument that a command may have",
    "model.backup.Backup": "all that Trove reports of a backup",
    "model.engine.Engine": "all the facts of an engine",
    "model.instance.Instance": "all that Trove reports of an instance",
    "model.policy_file.Settings": "a field for each setting of a rule",
    "model.retention_policy.Policy": "a field for each --keep option",
    "sandbox.state.Settings": "all that is chosen when a sandbox is set up",
    "sandbox.standins.nova.Server": "a server as Trove expects it of Nova",
    "workflows.backup.rotate_job.RotateRequest": "a field for each option of the command",
    "workflows.backup.check.Verdict": "all that a check finds out about an instance",
    "workflows.restore.settings.RestoreOptions": "a field for each option of the command",
    "workflows.restore.settings.Settings": "a field for each of the request to Trove",
}

#: What ``workflows`` opens into: three rooms, and what they share.
WORKFLOWS = {"__init__.py", "backup", "new_instance.py", "replica", "restore"}


#: The modules without a test module of their name, and what tests them instead.
TESTED_ELSEWHERE = {
    "exceptions": "osc.base.test_run: how each error ends a command",
    "follow_up": "osc.base.test_follow_up: each one as a command line",
    "progress": "osc.base.test_progress: what implements the protocol",
    "library.backups": "library.test_connection: a connection has these methods",
    "library.base": "library.test_connection: a connection is made of it",
    "library.events": "library.test_connection: each state is reported once",
    "library.replicas": "library.test_connection: a connection has these methods",
    "library.restores": "library.test_connection: a connection has these methods",
    "model.ages": "workflows.backup.test_stored_times: backups dated ahead",
    "model.backup_links": "model.test_backup_forest: the forest is made of links",
    "model.fields": "model.test_backup: records are read field by field",
    "osc.base.policy_option": "osc.v1.test_database_backup_policy: wrong uses of it",
    "osc.policy_file.document": "osc.policy_file.test_load: places of mistakes",
    "osc.policy_file.schema": "osc.policy_file.test_load: each kind of mistake",
    "osc.base.plugin": "osc.v1.test_database_backup_check: the command as a plugin",
    "osc.v1.query_options": "osc.v1.test_database_backup_restore: each line refused",
    "osc.v1.backup_check_report": "osc.v1.test_database_backup_check: its reports",
    "osc.v1.backup_rotate_metrics": "osc.v1.test_database_backup_rotate: its metrics",
    "osc.v1.backup_rotate_table": "osc.v1.test_database_backup_rotate: its rows",
    "osc.v1.backup_verify_metrics": "osc.v1.test_database_backup_verify: its metrics",
    "osc.v1.replica_report": "osc.v1.test_database_replica: the command as a plugin",
    "workflows.backup.rotate_job": "workflows.backup.test_rotate: requests and rows",
    "workflows.restore.verify_checks": "workflows.restore.test_contents: each check",
    "workflows.restore.verify_journal": "workflows.restore.test_verify: steps and times",
    "osc.v1.database_backup_register": "workflows.restore.test_register: its rows",
    "trove.regions": "workflows.restore.test_register: regions and their stores",
    "trove.catalog": "trove.test_find: names and IDs of what the catalog has",
    "trove.configuration_changes": "workflows.replica.test_fenced_promote: a fence",
    "trove.configuration_groups": "workflows.restore.test_settings: groups of sources",
    "trove.databases": "workflows.restore.test_contents: lists of databases",
    "trove.extras": "workflows.restore.test_additions: TLS and modules of a source",
    "trove.quotas": "workflows.replica.test_create: a full quota",
    "trove.resources": "trove.test_errors: answers without their fields",
    "trove.wait_report": "trove.test_conditions: waits that failed",
    "workflows.backup.create": "library.test_connection: full and incremental backups",
    "workflows.backup.prune_run": "workflows.backup.test_prune: deletes of a plan",
    "workflows.backup.prune_policy": "osc.v1.test_database_backup_policy: its plan",
    "workflows.backup.schedule": "osc.v1.test_database_backup_policy: what is due",
    "workflows.backup.targets": "workflows.backup.test_delete: what is waited for",
    "workflows.replica.fence_lift": "workflows.replica.test_fenced_promote: its end",
    "workflows.new_instance": "workflows.restore.test_settings: network, access, quota",
    "workflows.restore.verify_all": "osc.v1.test_database_backup_verify: all of them",
}
#: The sandbox is tested as it runs: tests/functional, test_sandbox above all. Parts that
#: need no service have unit tests.
RUNS_AS_A_WHOLE = "sandbox."

#: Test modules that are about several modules, or none.
TESTS_OF_SEVERAL = {
    "library.test_names": "the names of the package",
    "osc.base.test_pipes": "closed streams, in every workflow",
    "osc.base.test_run_signals": "signals, in every kind of command",
    "osc.base.test_terminal": "control characters, wherever a name is shown",
    "osc.hooks.test_parity": "hooked commands beside stock ones",
    "osc.test_names": "names and IDs, in every command",
    "test_access_rules": "tests.access_rules: the table of the documents",
    "test_commands": "every entry point",
    "test_examples": "doc/examples",
    "test_functional_base": "tests.functional.base",
    "test_fuzz": "tests.fuzz",
    "test_layers": "the order of the layers",
    "test_promises": "tests.promises",
    "test_proxy": "tests.functional.proxy",
    "test_releases": "tests.releases",
    "test_requests": "requests.csv: the figures of the documents",
    "test_requirements": "requirements.txt and setup.cfg",
    "test_structure": "the measures of the code",
    "test_sweep": "tests.sweep",
    "test_wording": "decisions that don't depend on wording",
    "test_tempest": "tests.tempest",
    "test_words": "words, in code and documents",
    "workflows.backup.test_stored_times": "stored times, in every backup workflow",
}


class Module(NamedTuple):
    """A module outside the tests, whose path is that in the package."""

    path: pathlib.Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return ".".join(self.path.with_suffix("").parts)

    def imports(self) -> dict[str, str]:
        """What a name stands for, as far as it is of this project."""
        return {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }


class Named(NamedTuple):
    """A function or a class, and where it is."""

    module: str
    node: Any

    @property
    def lines(self) -> int:
        return int(self.node.end_lineno - self.node.lineno + 1)

    def __str__(self) -> str:
        return f"{self.module}.{self.node.name}"


@functools.cache
def _modules() -> list[Module]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] != "tests":
            text = path.read_text(encoding="utf-8")
            found.append(Module(inside, text, ast.parse(text)))
    return found


def _all(*kinds: type[ast.AST]) -> list[Named]:
    return [
        Named(module.name, node)
        for module in _modules()
        for node in ast.walk(module.tree)
        if isinstance(node, kinds)
    ]


def _attributes(node: ast.ClassDef) -> set[str]:
    """The names that a class or its methods give a value, or a type."""
    fields = {
        ast.unparse(statement.target)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and "ClassVar" not in ast.unparse(statement.annotation)
    }
    return fields | {
        found.attr
        for found in ast.walk(node)
        if isinstance(found, ast.Attribute)
        and isinstance(found.ctx, ast.Store)
        and isinstance(found.value, ast.Name)
        and found.value.id == "self"
    }


def _attributes_of_all() -> dict[str, set[str]]:
    """The attributes of each class, and of its bases that are of this project."""
    classes = {str(named): named for named in _all(ast.ClassDef)}
    imports = {module.name: module.imports() for module in _modules()}

    def attributes(named: Named) -> set[str]:
        found = _attributes(named.node)
        for base in named.node.bases:
            first, dot, rest = ast.unparse(base).partition(".")
            known = imports[named.module].get(
                first, f"trove_ext.{named.module}.{first}"
            )
            name = f"{known}{dot}{rest}".removeprefix("trove_ext.")
            if name in classes:
                found |= attributes(classes[name])
        return found

    return {name: attributes(named) for name, named in classes.items()}


class LengthTest(testtools.TestCase):
    def test_no_function_is_longer_than_a_screen(self):
        functions = _all(ast.FunctionDef, ast.AsyncFunctionDef)
        self.assertGreater(len(functions), 1000)
        long = [
            f"{function}: {function.lines}"
            for function in functions
            if function.lines > LONGEST_FUNCTION
        ]
        self.assertEqual([], long)

    def test_every_module_has_fewer_than_400_lines(self):
        lengths = {module.name: module.text.count("\n") for module in _modules()}
        self.assertGreater(len(lengths), 100)
        long = {name: n for name, n in lengths.items() if n >= LONGEST_MODULE}
        self.assertEqual({}, long)


class CommandClassTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        commands = {command.__name__ for command in command_classes().values()}
        found = [named for named in _all(ast.ClassDef) if named.node.name in commands]
        self.lines = {
            named.node.name: named.lines
            for named in found
            if named.module.startswith("osc.v1.")
        }
        self.assertEqual(commands, set(self.lines))

    def test_half_of_the_command_classes_have_40_lines_or_fewer(self):
        self.assertLessEqual(statistics.median(self.lines.values()), MEDIAN_COMMAND)

    def test_no_command_class_is_long(self):
        long = {name: n for name, n in self.lines.items() if n > LONGEST_COMMAND}
        self.assertEqual({}, long)


class AttributeTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        found = _attributes_of_all()
        self.many = {name for name, has in found.items() if len(has) > MOST_ATTRIBUTES}

    def test_a_class_that_does_something_has_at_most_8_attributes(self):
        self.assertEqual(set(), self.many - set(RECORDS))

    def test_each_exception_is_needed(self):
        self.assertEqual(set(), set(RECORDS) - self.many)


class RoomsTest(testtools.TestCase):
    def test_workflows_open_into_three_rooms_and_one_file(self):
        here = {
            path.name
            for path in (PACKAGE / "workflows").iterdir()
            if path.name != "__pycache__"
        }
        self.assertEqual(WORKFLOWS, here)


class MirrorTest(testtools.TestCase):
    """Whoever looks for the test of a module finds it by the name of the module."""

    def setUp(self):
        super().setUp()
        self.modules = {
            module.name for module in _modules() if module.path.name != "__init__.py"
        }
        unit = PACKAGE / "tests" / "unit"
        paths = (path.relative_to(unit) for path in unit.rglob("test_*.py"))
        self.tests = {".".join(path.with_suffix("").parts) for path in paths}

    def test_every_module_has_a_test_module_of_its_name(self):
        missing = {
            name
            for name in self.modules
            if _test_of(name) not in self.tests and not name.startswith(RUNS_AS_A_WHOLE)
        }
        hint = "add the test module, or an entry in TESTED_ELSEWHERE"
        self.assertEqual(set(TESTED_ELSEWHERE), missing, hint)

    def test_what_is_tested_elsewhere_is_tested_where_it_says(self):
        named = {text.partition(":")[0] for text in TESTED_ELSEWHERE.values()}
        self.assertEqual(set(), named - self.tests)

    def test_every_test_module_is_named_after_a_module(self):
        of_fakes = {name for name in self.tests if name.startswith("fake.")}
        mirrored = {_test_of(name) for name in self.modules}
        others = self.tests - mirrored - of_fakes
        hint = "name it after its module, or add an entry in TESTS_OF_SEVERAL"
        self.assertEqual(set(TESTS_OF_SEVERAL), others, hint)


def _test_of(module: str) -> str:
    room, dot, name = module.rpartition(".")
    return f"{room}{dot}test_{name}"
