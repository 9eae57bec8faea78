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

"""YAML with the line and the column of everything in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from trove_ext.model.policy_file_checks import Place

#: More than any project needs; aliases multiply values.
MOST_VALUES = 100_000
DEEPEST = 50


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Something that is wrong in a file; lines and columns count from 1."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.text}"


class NotYamlError(ValueError):
    """A text that is not YAML, or not of a kind that can be read.

    :ivar mistake: the first that was found, after which nothing can be read
    """

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


@dataclass(slots=True)
class Document:
    """What a text contains.

    :ivar tree: dictionaries, lists and values
    :ivar places: the line and column of each value, by the keys that lead to it; of a
        value in a dictionary those of its key
    :ivar mistakes: values that are not in the tree: a second one of a key, a date that
        does not exist
    :ivar unreadable: the places of those that could not be read
    """

    tree: Any = None
    places: dict[Place, tuple[int, int]] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    unreadable: set[Place] = field(default_factory=set)

    def mistake(self, place: Place, text: str) -> Mistake:
        """Describe a mistake at a place, or at the nearest one around it."""
        while place not in self.places and place:
            place = place[:-1]
        line, column = self.places.get(place, (1, 1))
        return Mistake(line, column, text)


def read(text: str) -> Document:
    """Read a text.

    :raises NotYamlError: with the place of the first error
    """
    try:
        reader = _Reader(text)
        node = reader.loader.get_single_node()
        if node is not None:
            reader.document.tree = reader.value(node, ())
    except yaml.MarkedYAMLError as exc:
        raise NotYamlError(_of_mark(exc)) from exc
    except yaml.YAMLError as exc:
        raise NotYamlError(_of_reader(text, exc)) from exc
    except RecursionError as exc:
        raise NotYamlError(Mistake(1, 1, "it is nested too deeply")) from exc
    return reader.document


class _Reader:
    """One reading of a text: makes values of YAML's nodes, and notes their places."""

    def __init__(self, text: str) -> None:
        self.loader = yaml.SafeLoader(text)
        self.document = Document()

    def value(self, node: yaml.Node, place: Place) -> Any:
        """Make the value of a node.

        :raises NotYamlError: there are too many, for instance by an alias of itself
        """
        places = self.document.places
        places.setdefault(place, _position(node))
        if len(places) > MOST_VALUES or len(place) > DEEPEST:
            raise NotYamlError(Mistake(*_position(node), "it has too many values"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, (*place, index))
                for index, item in enumerate(node.value)
            ]
        return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _key(key_node)
            if key in made:
                self._note(key_node, f"'{key}' is given twice")
                continue
            inner = (*place, key)
            self.document.places[inner] = _position(key_node)
            made[key] = self.value(value_node, inner)
        return made

    def _scalar(self, node: yaml.Node, place: Place) -> Any:
        """Make the value of a text, a number, a time and so on."""
        try:
            return self.loader.construct_object(node)
        except (yaml.constructor.ConstructorError, ValueError) as exc:
            self._note(node, f"'{node.value}': {getattr(exc, 'problem', exc)}")
            self.document.unreadable.add(place)
            return None

    def _note(self, node: yaml.Node, text: str) -> None:
        self.document.mistakes.append(Mistake(*_position(node), text))


def _key(node: yaml.Node) -> str:
    """Return a key as it is written: ``on`` is no boolean here."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "?"


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _of_mark(exc: yaml.MarkedYAMLError) -> Mistake:
    """Describe an error of YAML at its place."""
    mark = exc.problem_mark or exc.context_mark
    problem = exc.problem or exc.context or "it can't be read"
    text = f"{exc.context}, {problem}" if exc.context and exc.problem else problem
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Mistake(line, column, f"not valid YAML: {text}")


def _of_reader(text: str, exc: yaml.YAMLError) -> Mistake:
    """Describe a character that YAML does not allow."""
    at = getattr(exc, "position", 0)
    before = text[:at]
    line = before.count("\n") + 1
    column = at - (before.rfind("\n") + 1) + 1
    return Mistake(line, column, "not valid YAML: it has a control character")
