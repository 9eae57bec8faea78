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

"""The checks of a request body that Trove makes first.

trove/common/apischema.py, and `Controller.format_validation_msg` in
trove/common/wsgi.py for the texts. A rule takes the place of a value and the
value, and returns what is wrong with it.
"""

import re
from collections.abc import Callable
from typing import Any

from trove_ext.tests.fake import errors

Rule = Callable[[str, Any], list[str]]

_NAME = "^.*[0-9a-zA-Z]+.*$"
_UUID = (
    "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}"
    "-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
)
_POSITIVE = "^0*[1-9]+[0-9]*$"


def text(
    place: str, value: object, *, longest: int = 255, pattern: str = _NAME
) -> list[str]:
    """Check a `non_empty_string`.

    A dot matches no newline: a name with one inside is refused, and so is one
    without a Latin letter or digit.
    """
    if not isinstance(value, str):
        return [f"{place} {value!r} is not of type 'string'"]
    problems = []
    if not value:
        problems.append(f"{place} '' should be non-empty")
    if len(value) > longest:
        problems.append(f"{place} {value!r} is too long")
    if not re.search(pattern, value):
        problems.append(f"{place} {value!r} does not match {pattern!r}")
    return problems


def uuid(place: str, value: object) -> list[str]:
    """Check an ID."""
    return text(place, value, longest=64, pattern=_UUID)


def is_uuid(value: object) -> bool:
    """Whether a value looks like an ID."""
    return not uuid("", value)


def volume_size(place: str, value: object) -> list[str]:
    """Check a size: a whole number or digits, from 1."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and value >= 1:  # type: ignore[operator]
        return []
    as_text = text("", value, longest=40, pattern=_POSITIVE)
    if not as_text:
        return []
    as_number = (
        f"{value} is less than the minimum of 1"
        if whole
        else f"{value!r} is not of type 'integer'"
    )
    reasons = [as_number, *(problem.strip() for problem in as_text)]
    head = f"{place} {value!r} is not valid under any of the given schemas"
    return ["; ".join([head, *reasons])]


def _integer(least: int, most: int) -> Rule:
    def check_integer(place: str, value: object) -> list[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            return [f"{place} {value!r} is not of type 'integer'"]
        if value < least:
            return [f"{place} {value} is less than the minimum of {least}"]
        if value > most:
            return [f"{place} {value} is greater than the maximum of {most}"]
        return []

    return check_integer


def _nics(place: str, value: object) -> list[str]:
    """Check the list of networks: one at most."""
    if not isinstance(value, list):
        return [f"{place} {value!r} is not of type 'array'"]
    problems = [] if len(value) <= 1 else [f"{place} {value!r} is too long"]
    keys = {"net-id", "network_id", "subnet_id"}
    for number, nic in enumerate(value):
        for key in nic:
            if key in keys:
                problems += uuid(f"{place}[{number}][{key!r}]", nic[key])
            elif key != "ip_address":
                problems.append(
                    f"{place}[{number}] Additional properties are not allowed "
                    f"({key!r} was unexpected)"
                )
    return problems


def _objects(*keys: str) -> Rule:
    """Check a list of objects whose `keys` must exist and not be empty."""

    def check_objects(place: str, value: object) -> list[str]:
        if not isinstance(value, list):
            return [f"{place} {value!r} is not of type 'array'"]
        problems = []
        for number, item in enumerate(value):
            for key in keys:
                if key in item:
                    problems += text(f"{place}[{number}][{key!r}]", item[key])
                else:
                    problems.append(f"{place}[{number}] {key!r} is a required property")
        return problems

    return check_objects


def _volume(place: str, value: Any) -> list[str]:
    if "size" not in value:
        return [f"{place} 'size' is a required property"]
    return volume_size(f"{place}['size']", value["size"])


def _restore_point(place: str, value: Any) -> list[str]:
    return uuid(f"{place}['backupRef']", value.get("backupRef"))


INSTANCE: dict[str, Rule] = {
    "name": text,
    "volume": _volume,
    "restorePoint": _restore_point,
    "replica_of": uuid,
    "replica_count": _integer(1, 3),
    "nics": _nics,
    "databases": _objects("name"),
    "users": _objects("name", "password"),
    "availability_zone": text,
    "region_name": text,
    "locality": text,
}
UPDATE: dict[str, Rule] = {"name": text, "datastore_version": text}
BACKUP: dict[str, Rule] = {
    "name": text,
    "description": text,
    "instance": uuid,
    "parent_id": uuid,
    "incremental": _integer(0, 1),
    "swift_container": text,
    "storage_driver": text,
}
RESIZE: dict[str, Rule] = {"volume": _volume}
USERS = _objects("name", "password")
DATABASES = _objects("name")


def check(root: str, body: Any, rules: dict[str, Rule], *, name: bool = False) -> Any:
    """Check a body and return what is under its root.

    :param name: whether a name must be there
    :raises ApiError: 400, with every problem in one message
    """
    if not isinstance(body, dict) or root not in body:
        # The text is built from the path of the problem, which is empty here.
        raise errors.server_error("list index out of range")
    data = body[root]
    problems = []
    if name and "name" not in data:
        problems.append(f"{root} 'name' is a required property")
    for key, rule in rules.items():
        if key in data:
            problems += rule(f"{root}[{key!r}]", data[key])
    refuse(problems)
    return data


def check_list(root: str, body: Any, rule: Rule) -> Any:
    """Check a body that has a list under its root, and return the list.

    :raises ApiError: 400
    """
    if not isinstance(body, dict) or root not in body:
        raise errors.server_error("list index out of range")
    refuse(rule(root, body[root]))
    return body[root]


def refuse(problems: list[str]) -> None:
    """Raise if there is a problem.

    :raises ApiError: 400
    """
    if problems:
        raise errors.bad_request("Validation error: " + "; ".join(problems))
