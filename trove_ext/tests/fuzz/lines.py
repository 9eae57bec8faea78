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

"""Command lines generated from the parsers of the commands."""

import argparse
import functools
import importlib.metadata
import random
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from trove_ext.tests.fuzz.values import Values, values_for

COMMANDS = "openstack.database.v1"
HOOKS = "openstack.cli."
#: Options of cliff, the same for all commands; each line has a few of them.
FORMATS = ("table", "json", "csv", "value", "shell", "yaml")


@dataclass(frozen=True)
class Argument:
    """One argument of a command.

    :ivar options: its spellings, none for a positional
    :ivar nargs: as argparse has it; 0 for a flag
    """

    options: tuple[str, ...]
    nargs: Any
    required: bool
    values: Values

    @classmethod
    def of(cls, action: argparse.Action) -> "Argument":
        choices = tuple(map(str, action.choices or ()))
        hints = (action.dest, str(action.metavar), *action.option_strings)
        return cls(
            tuple(action.option_strings),
            action.nargs,
            action.required,
            Values(choices, ("neither",)) if choices else values_for(*hints),
        )


@dataclass(frozen=True)
class Grammar:
    """A command and its arguments."""

    words: tuple[str, ...]
    options: tuple[Argument, ...]
    positionals: tuple[Argument, ...]


@functools.cache
def grammars() -> tuple[Grammar, ...]:
    """Return those of all our commands and all hooked stock commands, by name."""
    return tuple(_grammar(name, parser) for name, parser in parsers().items())


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return new parsers of the same commands, by name."""
    points = importlib.metadata.entry_points()
    hooked = {
        group.removeprefix(HOOKS) for group in points.groups if group.startswith(HOOKS)
    }
    found = {
        point.name.replace("_", " "): point.load()
        for point in points.select(group=COMMANDS)
        if point.name in hooked or point.value.startswith("trove_ext")
    }
    return {name: _parser(name, found[name]) for name in sorted(found)}


def _parser(name: str, factory: Any) -> argparse.ArgumentParser:
    manager = SimpleNamespace(namespace="openstack.cli")
    app: Any = SimpleNamespace(
        command_manager=manager, command_options=[], options=SimpleNamespace()
    )
    parser: argparse.ArgumentParser = factory(app, None, cmd_name=name).get_parser(name)
    return parser


def _grammar(name: str, parser: argparse.ArgumentParser) -> Grammar:
    actions = [
        action
        for group in parser._action_groups
        if "format" not in (group.title or "")
        for action in group._group_actions
        if action.dest != "help"
    ]
    arguments = [Argument.of(action) for action in actions]
    return Grammar(
        tuple(name.split()),
        tuple(argument for argument in arguments if argument.options),
        tuple(argument for argument in arguments if not argument.options),
    )


def make_line(seed: int, number: int) -> list[str]:
    """Make one line: always the same for a seed and a number.

    The commands take turns. Half of the lines are close to valid ones.
    """
    choose = random.Random(f"{seed}:{number}")
    known = grammars()
    grammar = known[number % len(known)]
    wild = choose.choice((0.0, 0.0, 0.03, 0.15, 0.6))
    parts = [
        *_positionals(choose, grammar.positionals, wild),
        *_options(choose, grammar.options, wild),
    ]
    if choose.random() < 0.5:
        choose.shuffle(parts)
    line = [word for part in parts for word in part]
    if choose.random() < wild / 2 and line:
        _spoil(choose, line)
    return [*grammar.words, *line]


def _positionals(
    choose: random.Random, arguments: Sequence[Argument], wild: float
) -> list[list[str]]:
    parts = []
    for argument in arguments:
        usual = {"?": (0, 1), "*": (0, 1, 2), "+": (1, 1, 2, 3)}.get(
            argument.nargs, (1,)
        )
        count = choose.choice((0, 1, 2, 4)) if choose.random() < wild else None
        count = choose.choice(usual) if count is None else count
        parts += [[argument.values.pick(choose, wild)] for _ in range(count)]
    return parts


def _options(
    choose: random.Random, arguments: Sequence[Argument], wild: float
) -> list[list[str]]:
    given = [
        argument
        for argument in arguments
        if argument.required and choose.random() >= wild
    ]
    given += choose.choices(arguments, k=choose.choice((0, 1, 1, 2, 3, 6)))
    parts = [["-f", choose.choice(FORMATS)]] if choose.random() < 0.1 else []
    return [*parts, *(_option(choose, argument, wild) for argument in given)]


def _option(choose: random.Random, argument: Argument, wild: float) -> list[str]:
    spelled = choose.choice(argument.options)
    if spelled.startswith("--") and choose.random() < max(wild, 0.05):
        spelled = spelled[: choose.randint(3, len(spelled))]
    if argument.nargs == 0:
        return [spelled]
    value = argument.values.pick(choose, wild)
    if choose.random() < wild / 4:
        return [spelled]
    return [f"{spelled}={value}"] if choose.random() < 0.3 else [spelled, value]


def _spoil(choose: random.Random, line: list[str]) -> None:
    """Drop, repeat or add a word."""
    at = choose.randrange(len(line))
    how = choose.randrange(3)
    if how == 0:
        del line[at]
    elif how == 1:
        line.insert(at, line[at])
    else:
        line.insert(at, choose.choice(("--no-such-option", "-z", "--", "\x1b[31m")))
