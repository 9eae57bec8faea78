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

"""Directives that write the reference from ``setup.cfg``.

``trove-ext-commands`` documents every command of this plugin, by cliff's autoprogram;
``trove-ext-hooks`` documents every stock command with the options that a hook adds to
it, which autoprogram does not see. So a new entry point is documented automatically.
"""

import argparse
import configparser
import pathlib
import pydoc
from unittest import mock

from cliff import sphinxext
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

COMMANDS = "openstack.database.v1"
HOOKS = "openstack.cli."
SETUP_CFG = pathlib.Path(__file__).parents[3] / "setup.cfg"


def _entry_points():
    config = configparser.ConfigParser()
    config.read(SETUP_CFG)
    for group, lines in config["entry_points"].items():
        for line in lines.strip().splitlines():
            name, _, value = line.partition("=")
            yield group, name.strip(), value.strip()


class _Generated(SphinxDirective):
    def run(self):
        lines = StringList()
        for line in self.lines():
            lines.append(line, "setup.cfg")
        section = nodes.section()
        section.document = self.state.document
        nested_parse_with_titles(self.state, lines, section)
        return section.children


class Commands(_Generated):
    def lines(self):
        points = _entry_points()
        for name in sorted(name for group, name, _ in points if group == COMMANDS):
            words = name.replace("_", " ")
            yield from (f".. autoprogram-cliff:: {COMMANDS}", f"   :command: {words}")
            yield ""


class Hooks(_Generated):
    def lines(self):
        for group, _name, value in sorted(_entry_points()):
            if group.startswith(HOOKS):
                hook = pydoc.locate(value.replace(":", "."))
                words = group.removeprefix(HOOKS).replace("_", " ")
                yield from self._hook(words, hook(mock.MagicMock(cmd_name=words)))

    def _hook(self, words, hook):
        yield from (words, "-" * len(words), "")
        parser = argparse.ArgumentParser(add_help=False)
        hook.get_parser(parser)
        for action in parser._actions:
            yield from self._action(action)
        if not parser._actions:
            yield from ("No option; see :doc:`/reference/stock`.", "")

    @staticmethod
    def _action(action):
        value = f" {action.metavar}" if action.metavar else ""
        names = ", ".join(f"``{text}{value}``" for text in action.option_strings)
        yield from (names or f"``{action.metavar}``", f"   {action.help}", "")


def _escape_patterns(format_parser):
    """Escape a pattern in a help text (``release-*``), which would be markup."""

    def escaping(parser):
        for action in parser._actions:
            action.help = (action.help or "").replace("*", r"\*")
        return format_parser(parser)

    return escaping


class _Autoprogram(sphinxext.AutoprogramCliffDirective):
    """Creates a command with an application, which ours read; cliff's does not."""

    def _generate_nodes_per_command(self, title, command_name, command_class, ignored):
        def make(_app, _args):
            return command_class(mock.MagicMock(), None)

        return super()._generate_nodes_per_command(title, command_name, make, ignored)


def setup(app):
    sphinxext._format_parser = _escape_patterns(sphinxext._format_parser)
    app.add_directive("autoprogram-cliff", _Autoprogram, override=True)
    app.add_directive("trove-ext-commands", Commands)
    app.add_directive("trove-ext-hooks", Hooks)
    return {"parallel_read_safe": True}
