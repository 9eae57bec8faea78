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

"""What is wrong with the values of a policy file, by the JSON schema of the package."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker
from oslo_utils import uuidutils

from trove_ext.model.durations import parse_duration, parse_period
from trove_ext.model.rotation_naming import NamePattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError

    from trove_ext.model.policy_file_checks import Place

SCHEMA = "backups.schema.json"
TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "object": "a mapping",
    "string": "text",
}


def mistakes(tree: Any) -> Iterator[tuple[Place, str]]:
    """Yield the place and a description of each value that is not as it has to be."""
    seen: set[Place] = set()
    # A format describes what is wrong with a text better than its pattern.
    errors = sorted(
        _validator().iter_errors(tree), key=lambda e: e.validator != "format"
    )
    for error in errors:
        place: Place = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            for key in _unknown(error):
                yield (*place, key), f"there is no '{key}' here; {_known(error)}"
        elif place not in seen:
            seen.add(place)
            yield place, _describe(error, place)


@functools.cache
def _validator() -> Draft202012Validator:
    text = resources.files(__package__).joinpath(SCHEMA).read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text), format_checker=_formats())


def _formats() -> FormatChecker:
    """Make the checks of texts; each raises a ValueError with a text for the user."""
    checker = FormatChecker(formats=())
    checks: Mapping[str, Callable[[str], object]] = {
        "trove-ext-duration": parse_duration,
        "trove-ext-period": parse_period,
        "trove-ext-name": NamePattern,
        "uuid": _uuid,
    }
    for name, check in checks.items():
        checker.checks(name, raises=ValueError)(functools.partial(_passes, check))
    return checker


def _passes(check: Callable[[str], object], value: object) -> bool:
    if isinstance(value, str):
        check(value)
    return True


def _uuid(text: str) -> None:
    if not uuidutils.is_uuid_like(text):
        raise ValueError(f"'{text}' is not an ID")


def _describe(error: ValidationError, place: Place) -> str:
    name = next((str(key) for key in reversed(place) if isinstance(key, str)), "")
    text = _reason(error)
    return f"{name}: {text}" if name else text


def _reason(error: ValidationError) -> str:
    """Say what is wrong in the words of the user, not of the schema."""
    if error.cause is not None:
        return str(error.cause)
    say = REASONS.get(str(error.validator))
    return say(error.instance, error.validator_value) if say else str(error.message)


def _missing(value: Any, wanted: list[str]) -> str:
    return f"'{', '.join(key for key in wanted if key not in value)}' is missing"


def _of_type(value: Any, wanted: str | list[str]) -> str:
    return f"{_show(value)} has to be {_types(wanted)}{_hint(value, wanted)}"


def _types(wanted: str | list[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(TYPES.get(name, name) for name in names)


def _hint(value: Any, wanted: str | list[str]) -> str:
    """Help with what YAML reads as something else than text."""
    if value is None or isinstance(value, (list, dict)) or "string" not in wanted:
        return ""
    return ": put it in quotes"


def _show(value: Any) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, (list, dict)):
        return TYPES["array" if isinstance(value, list) else "object"]
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'"


def _unknown(error: ValidationError) -> list[str]:
    return [key for key in error.instance if key not in error.schema["properties"]]


def _known(error: ValidationError) -> str:
    return "known are " + ", ".join(error.schema["properties"])


#: What each keyword of the schema says about a value, and what the schema wants.
REASONS: Mapping[str, Callable[[Any, Any], str]] = {
    "type": _of_type,
    "minimum": lambda value, wanted: f"{_show(value)} has to be at least {wanted}",
    "maximum": lambda value, wanted: f"{_show(value)} has to be at most {wanted}",
    "enum": lambda value, wanted: f"{_show(value)} has to be {' or '.join(wanted)}",
    "required": _missing,
    "minItems": lambda _value, _wanted: "is empty",
    "minProperties": lambda _value, _wanted: "is empty",
    "minLength": lambda _value, _wanted: "is empty",
}
