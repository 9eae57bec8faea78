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

"""Rules for every command and hook, future ones included.

All tests read ``setup.cfg``, so a new entry point is covered automatically.
"""

import argparse
import ast
import configparser
import importlib
import importlib.metadata
import pathlib
import re
import subprocess
import sys
import tempfile
import types
from unittest import mock

import testtools
from cliff.command import Command
from cliff.lister import Lister
from cliff.show import ShowOne

from trove_ext.osc import lazy

ROOT = pathlib.Path(__file__).parents[3]
COMMANDS = "openstack.database.v1"
HOOKS = "openstack.cli."
STOCK = "python-troveclient"
LAZY = "trove_ext.osc.lazy"

#: What every ``openstack`` command imports from this package.
ALWAYS = {"trove_ext", "trove_ext.osc", LAZY}

#: Runs ``openstack`` and prints at its end which modules are loaded. (-X importtime
#: does not see what importlib.import_module loads, and that is how cliff loads.)
PRINT_MODULES = """
import atexit, sys
atexit.register(lambda: sys.stderr.write("\\n" + "\\n".join(list(sys.modules))))
from openstackclient.shell import main
sys.exit(main(sys.argv[1:]))
"""


def _entry_points():
    """Triples (group, name, "module:object") of ``setup.cfg``."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    for group, lines in config["entry_points"].items():
        for line in lines.strip().splitlines():
            name, _, value = line.partition("=")
            yield group, name.strip(), value.strip()


def _load(value):
    """The class of an entry point, behind the module that loads it lazily."""
    module, _, name = value.partition(":")
    if module == LAZY:
        return lazy.load(name)
    return getattr(importlib.import_module(module), name)


def _stock():
    """The commands of python-troveclient: class by entry point's name."""
    points = importlib.metadata.distribution(STOCK).entry_points
    return {point.name: point.value for point in points if point.group == COMMANDS}


def _ours():
    """Our own commands: class by entry point's name."""
    found = _entry_points()
    return {name: _load(value) for group, name, value in found if group == COMMANDS}


def command_classes():
    """All command classes of ours, by the name of their entry point."""
    return _ours()


def _hooked():
    """Pairs (stock name, factory of its hook)."""
    for group, _name, value in _entry_points():
        if group.startswith(HOOKS):
            name = group.removeprefix(HOOKS)
            yield name, _hook_of(_load(value), name)


def _hook_of(hook_class, name):
    """The factory of this command's hook, whatever command it is called with."""

    def make(command):
        command.cmd_name = _words(name)
        return hook_class(command)

    return make


def _words(name):
    return name.replace("_", " ")


def _parser(command_class, hook_class=None):
    """The parser of a command, with one hook or none, whatever is installed."""
    app = mock.MagicMock()
    app.command_manager.namespace = "no.hooks.here"
    command = command_class(app, None, "x")
    if hook_class is not None:
        command._hooks = [types.SimpleNamespace(obj=hook_class(command))]
    return command.get_parser("x")


def _bare(command_class):
    """The cliff class of one of our commands."""
    for kind in (Lister, ShowOne):
        if issubclass(command_class, kind):
            return type(f"Bare{kind.__name__}", (kind,), {"take_action": None})
    return type("BareCommand", (Command,), {"take_action": None})


def _actions(parser):
    return [action for action in parser._actions if action.dest != "help"]


def _options(parser):
    return {text for action in _actions(parser) for text in action.option_strings}


def _without_help(parser):
    return [
        action.option_strings or action.dest
        for action in _actions(parser)
        if not action.help
    ]


class EntryPointTest(testtools.TestCase):
    def test_every_entry_point_loads(self):
        for group, name, value in _entry_points():
            self.assertTrue(callable(_load(value)), f"{group}: {name}")

    def test_commands_are_commands_named_after_their_class(self):
        for name, command_class in _ours().items():
            self.assertTrue(issubclass(command_class, Command), name)
            words = re.findall("[A-Z][a-z]*", command_class.__name__)
            expected = [*words[1:], words[0]]
            self.assertEqual(name.split("_"), [word.lower() for word in expected])

    def test_commands_are_loaded_lazily(self):
        for group, name, value in _entry_points():
            if group == COMMANDS:
                self.assertTrue(value.startswith(f"{LAZY}:"), f"{name} = {value}")

    def test_lazy_command_becomes_the_real_one(self):
        for group, _name, value in _entry_points():
            if group == COMMANDS:
                point = importlib.metadata.EntryPoint("x", value, group)
                made = point.load()(mock.MagicMock(), None)
                self.assertIs(_load(value), type(made))

    def test_no_stock_name_is_registered_again(self):
        self.assertEqual(set(), set(_ours()) & set(_stock()))

    def test_hooks_belong_to_stock_commands(self):
        hooked = {name for name, _hook in _hooked()}
        self.assertEqual(set(), hooked - set(_stock()))

    def test_installed_entry_points_are_those_of_setup_cfg(self):
        points = importlib.metadata.distribution("trove-ext").entry_points
        self.assertEqual(
            set(_entry_points()),
            {(point.group, point.name, point.value) for point in points},
            "run `pip install --no-deps -e .` (tools/test.sh does so)",
        )


class HelpTest(testtools.TestCase):
    def test_every_command_has_a_description(self):
        for name, command_class in _ours().items():
            parser = _parser(command_class)
            self.assertGreater(len(parser.description.split()), 3, name)

    def test_every_option_of_every_command_has_help(self):
        for name, command_class in _ours().items():
            self.assertEqual([], _without_help(_parser(command_class)), name)

    def test_every_option_of_every_hook_has_help(self):
        for name, hook_class in _hooked():
            parser = argparse.ArgumentParser()
            hook_class(mock.MagicMock()).get_parser(parser)
            self.assertEqual([], _without_help(parser), name)

    def test_every_hook_adds_its_options_to_the_stock_parser(self):
        stock = _stock()
        for name, hook_class in _hooked():
            bare = _options(_parser(_load(stock[name])))
            added = argparse.ArgumentParser()
            hook_class(mock.MagicMock()).get_parser(added)
            both = _options(_parser(_load(stock[name]), hook_class))
            self.assertEqual(bare | _options(added) - {"-h", "--help"}, both, name)


class AbbreviationTest(testtools.TestCase):
    """argparse accepts an abbreviation that matches one option only."""

    def test_no_option_of_a_hook_begins_with_a_stock_option(self):
        stock = _stock()
        for name, hook_class in _hooked():
            bare = _options(_parser(_load(stock[name])))
            added = _options(_parser(_load(stock[name]), hook_class)) - bare
            self.assertEqual([], self._clashes(bare, added), name)

    def test_no_option_of_ours_begins_with_one_of_cliff(self):
        for name, command_class in _ours().items():
            cliffs = _options(_parser(_bare(command_class)))
            added = _options(_parser(command_class)) - cliffs
            self.assertEqual([], self._clashes(cliffs, added), name)

    def test_a_backup_first_makes_no_stock_abbreviation_ambiguous(self):
        stock = _stock()
        for name, hook_class in _hooked():
            bare = _options(_parser(_load(stock[name])))
            added = _options(_parser(_load(stock[name]), hook_class)) - bare
            if "--backup-first" not in added:
                continue
            short = {
                text[:end]
                for text in bare
                if text.startswith("--")
                for end in range(len("--x"), len(text) + 1)
            }
            self.assertEqual([], [t for t in added if t[:3] in short], name)

    def test_yes_has_a_short_form(self):
        parsers = [_parser(command_class) for command_class in _ours().values()]
        stock = _stock()
        parsers += [_parser(_load(stock[name]), hook) for name, hook in _hooked()]
        for parser in parsers:
            options = _options(parser)
            self.assertEqual("--yes" in options, "-y" in options)

    @staticmethod
    def _clashes(stock, added):
        long = [text for text in stock if text.startswith("--")]
        return [
            (ours, text) for ours in added for text in long if ours.startswith(text)
        ]


class DocumentationTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        source = ROOT / "doc" / "source"
        pages = sorted([*source.rglob("*.rst"), *source.glob("sessions/*.txt")])
        self.pages = {page: page.read_text(encoding="utf-8") for page in pages}

    def test_every_command_and_hook_is_documented(self):
        text = re.sub(r"\s+", " ", " ".join(self.pages.values()))
        names = [*_ours(), *(name for name, _hook in _hooked())]
        missing = [name for name in names if f"openstack {_words(name)}" not in text]
        self.assertEqual([], missing, "no page in doc/source shows their use")

    def test_readme_lists_every_command(self):
        text = re.sub(r"\s+", " ", (ROOT / "README.rst").read_text(encoding="utf-8"))
        short = [_words(name).removeprefix("database ") for name in _ours()]
        self.assertEqual([], [name for name in short if f"``{name}" not in text])


class UnrelatedCommandTest(testtools.TestCase):
    """This plugin costs other commands nothing."""

    def _imported(self, *argv):
        """The modules of trove_ext that an ``openstack`` process imports."""
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [sys.executable, "-c", PRINT_MODULES, *argv],
                env={
                    "HOME": home,
                    "OS_AUTH_URL": "http://127.0.0.1:9/v3",
                    "OS_USERNAME": "nobody",
                    "OS_PASSWORD": "nothing",
                    "OS_PROJECT_NAME": "none",
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        names = done.stderr.splitlines()
        self.assertIn("openstackclient", names)
        return {name for name in names if name.split(".")[0] == "trove_ext"}

    def test_unrelated_commands_import_only_the_lazy_module(self):
        for argv in (
            ["--version"],
            ["module", "list"],
            ["server", "list"],
            ["database", "flavor", "list"],
        ):
            self.assertLessEqual(self._imported(*argv), ALWAYS, argv)

    def test_what_is_always_imported_imports_almost_nothing(self):
        # cliff loads each entry point whatever the command is.
        path = ROOT.joinpath(*LAZY.split(".")).with_suffix(".py")
        names = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                names.add(node.module)
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        self.assertEqual({"__future__", "cliff", "importlib", "sys", "typing"}, names)

    def test_this_test_detects_a_command_of_ours(self):
        imported = self._imported("database", "backup", "wait", "--help")
        self.assertIn("trove_ext.osc.v1.database_wait", imported)
