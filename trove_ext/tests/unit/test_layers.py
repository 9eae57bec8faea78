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

"""The order of the layers: a test for each arrow of the architecture page."""

import ast
import pathlib
import re
import sys

import testtools

PACKAGE = pathlib.Path(__file__).parents[2]

PURE = ("progress", "model", "exceptions", "follow_up")
#: What the modules of each layer may import from this project.
MAY_IMPORT = {
    "follow_up": {"follow_up"},
    "exceptions": {"exceptions", "follow_up"},
    "progress": {"progress", "follow_up"},
    "model": {"model", "exceptions", "follow_up"},
    "polling": {"polling", *PURE},
    "trove": {"trove", "polling", *PURE},
    "workflows": {"workflows", "trove", "polling", *PURE},
    "library": {"library", "workflows", "trove", "polling", *PURE},
    "osc": {"osc", "workflows", "trove", "polling", *PURE},
    # The public names, imported when they are first used.
    "__init__": {"library", "workflows", "polling", *PURE},
    "sandbox": {"sandbox"},
}

#: Who runs the sandbox: itself, its own tests, and those that run against it.
MAY_IMPORT_SANDBOX = (
    ("sandbox",),
    ("tests", "unit", "sandbox"),
    ("tests", "functional"),
    ("tests", "sweep"),
    ("tests", "tempest"),
)

#: The only layer that knows what a user types.
SHELL = {"osc", "sandbox"}
#: What quotes words for a shell.
QUOTING = {"shlex", "pipes"}
COMMAND = re.compile(r"\bopenstack ")
OPTION = re.compile(r"(?<![\w-])--[a-z]")

#: Calls by which a pure module would do I/O or read a clock.
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today", "monotonic"}


def _modules(*parts):
    """The paths of all source files, without tests."""
    for path in sorted(PACKAGE.joinpath(*parts).rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] != "tests":
            yield path


def _layer(dotted):
    """The layer of ``trove_ext.<layer>.rest``, None for another package."""
    parts = dotted.split(".")
    return parts[1] if parts[0] == "trove_ext" and len(parts) > 1 else None


def _imports(path):
    """The dotted names that a file imports, at any place in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "relative import"
            elif node.module == "trove_ext":
                yield from (f"trove_ext.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _texts(path):
    """Every string in a file, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield str(node.value)


def _calls(path):
    """The last part of the name of everything that a file calls."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func
            yield getattr(name, "attr", getattr(name, "id", ""))


class ArrowsTest(testtools.TestCase):
    def test_every_module_belongs_to_a_layer(self):
        layers = {path.relative_to(PACKAGE).parts[0] for path in _modules()}
        known = {layer.removesuffix(".py") for layer in layers}
        self.assertLessEqual(known, set(MAY_IMPORT))

    def test_layers_import_downwards_only(self):
        wrong = []
        for path in _modules():
            own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
            for name in _imports(path):
                layer = _layer(name)
                if layer and layer not in MAY_IMPORT.get(own, set()):
                    wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
        self.assertEqual([], wrong)

    def test_imports_are_absolute(self):
        wrong = [path for path in _modules() if "relative import" in _imports(path)]
        self.assertEqual([], wrong)

    def test_model_and_exceptions_need_the_standard_library_only(self):
        wrong = []
        for path in [*_modules("model"), PACKAGE / "exceptions.py"]:
            for name in _imports(path):
                top = name.split(".")[0]
                if top not in {*sys.stdlib_module_names, "trove_ext"}:
                    wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
        self.assertEqual([], wrong)

    def test_model_is_pure(self):
        wrong = [
            f"{path.relative_to(PACKAGE)} calls {name}"
            for path in _modules("model")
            for name in _calls(path)
            if name in IMPURE_CALLS
        ]
        self.assertEqual([], wrong)

    def test_workflows_know_no_command_line(self):
        wrong = []
        for path in [*_modules("workflows"), *_modules("trove")]:
            wrong += [
                f"{path.relative_to(PACKAGE)} imports {name}"
                for name in _imports(path)
                if name.split(".")[0] in {"argparse", "cliff", "osc_lib", "rich"}
            ]
            if "print" in set(_calls(path)):
                wrong.append(f"{path.relative_to(PACKAGE)} prints")
        self.assertEqual([], wrong)

    def test_only_the_client_waits(self):
        # One way to wait: reads keep to the deadline, and the journal knows of it.
        waiting = {
            str(path.relative_to(PACKAGE))
            for path in _modules()
            if "polling.wait(" in path.read_text(encoding="utf-8")
        }
        self.assertEqual({"trove/client.py"}, waiting)

    def test_only_osc_writes_commands_and_options_for_a_shell(self):
        wrong = []
        for path in _modules():
            where = path.relative_to(PACKAGE)
            if where.parts[0] in SHELL:
                continue
            wrong += [
                f"{where} imports {name}" for name in QUOTING & set(_imports(path))
            ]
            wrong += [
                f"{where} has {text!r}"
                for text in _texts(path)
                if COMMAND.search(text) or OPTION.search(text)
            ]
        self.assertEqual([], wrong)

    def test_sandbox_is_imported_by_itself_and_its_tests_only(self):
        wrong = []
        for path in sorted(PACKAGE.rglob("*.py")):
            where = path.relative_to(PACKAGE).parts
            if any(where[: len(prefix)] == prefix for prefix in MAY_IMPORT_SANDBOX):
                continue
            wrong += [
                f"{path.relative_to(PACKAGE)} imports {name}"
                for name in _imports(path)
                if _layer(name) == "sandbox"
            ]
        self.assertEqual([], wrong)
