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

"""The checks that Trove makes on a body before it looks at anything else.

trove/common/apischema.py, and `Controller.format_validation_msg` in
trove/common/wsgi.py for the texts.
"""

import re
from typing import Any

from trove_ext.tests.fake import errors

_NAME = "^.*[0-9a-zA-Z]+.*$"
_UUID = (
    "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}"
    "-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
)
_POSITIVE = "^0*[1-9]+[0-9]*$"


def text(value: object, *, longest: int = 255, pattern: str = _NAME) -> str | None:
    """Say what is wrong with a `non_empty_string`, or None.

    A dot matches no newline: a name with one inside is refused, and so is one
    without a Latin letter or digit.
    """
    if not isinstance(value, str):
        return f"{value!r} is not of type 'string'"
    if not value:
        return f"'' should be non-empty; '' does not match {pattern!r}"
    if len(value) > longest:
        return f"{value!r} is too long"
    if not re.search(pattern, value):
        return f"{value!r} does not match {pattern!r}"
    return None


def uuid(value: object) -> str | None:
    """Say what is wrong with an ID, or None."""
    return text(value, longest=64, pattern=_UUID)


def volume_size(value: object) -> str | None:
    """Say what is wrong with a size, or None: a whole number or digits, from 1."""
    if isinstance(value, str) and not text(value, longest=40, pattern=_POSITIVE):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    reason = (
        f"{value} is less than the minimum of 1"
        if whole
        else f"{value!r} is not of type 'integer'"
    )
    return f"{value!r} is not valid under any of the given schemas; {reason}"


def flag(value: object) -> str | None:
    """Say what is wrong with a 0-or-1, or None."""
    if not isinstance(value, int) or isinstance(value, bool):
        return f"{value!r} is not of type 'integer'"
    return None if value in (0, 1) else f"{value} is greater than the maximum of 1"


def count(value: object) -> str | None:
    """Say what is wrong with a replica_count, or None: 1 to 3."""
    if not isinstance(value, int):
        return f"{value!r} is not of type 'integer'"
    if value < 1:
        return f"{value} is less than the minimum of 1"
    return f"{value} is greater than the maximum of 3" if value > 3 else None


def nics(value: object) -> str | None:
    """Say what is wrong with the list of networks, or None: one at most."""
    if not isinstance(value, list):
        return f"{value!r} is not of type 'array'"
    if len(value) > 1:
        return f"{value!r} is too long"
    keys = {"net-id", "network_id", "subnet_id"}
    for nic in value:
        for key in nic:
            if key not in keys | {"ip_address"}:
                return f"Additional properties are not allowed ({key!r} was unexpected)"
            problem = uuid(nic[key]) if key in keys else None
            if problem:
                return problem
    return None


def _named(value: object) -> str | None:
    for item in value if isinstance(value, list) else ():
        if "name" not in item:
            return "'name' is a required property"
        problem = text(item["name"])
        if problem:
            return problem
    return None


def _users(value: object) -> str | None:
    problem = _named(value)
    for user in value if isinstance(value, list) else ():
        if not problem and "password" not in user:
            problem = "'password' is a required property"
        problem = problem or text(user.get("password"))
    return problem


INSTANCE = {
    "name": text,
    "replica_of": uuid,
    "replica_count": count,
    "nics": nics,
    "databases": _named,
    "users": _users,
    "availability_zone": text,
    "region_name": text,
    "locality": text,
}
UPDATE = {"name": text, "datastore_version": text}
BACKUP = {
    "name": text,
    "description": text,
    "instance": uuid,
    "parent_id": uuid,
    "incremental": flag,
    "swift_container": text,
}
CREATE_USERS = {"users": _users}
CREATE_DATABASES = {"databases": _named}


def check(root: str, body: Any, rules: dict[str, Any], *, name: bool = False) -> Any:
    """Check a body and return what is under its root.

    :param name: whether a name must be there
    :raises ApiError: 400, with every problem in one message
    """
    if not isinstance(body, dict) or root not in body:
        raise errors.bad_request(f"Validation error: {root!r} is a required property")
    data = body[root]
    problems = []
    if name and "name" not in data:
        problems.append(f"{root} 'name' is a required property")
    for key, rule in rules.items():
        if key in data:
            problem = rule(data[key])
            if problem:
                problems.append(f"{root}[{key!r}] {problem}")
    problems += _inner(root, data) if isinstance(data, dict) else []
    if problems:
        raise errors.bad_request("Validation error: " + "; ".join(problems))
    return data


def _inner(root: str, data: dict[str, Any]) -> list[str]:
    volume, restore = data.get("volume"), data.get("restorePoint")
    problems = []
    if isinstance(volume, dict):
        problem = volume_size(volume.get("size"))
        if problem:
            problems.append(f"{root}['volume']['size'] {problem}")
    if isinstance(restore, dict):
        problem = uuid(restore.get("backupRef"))
        if problem:
            problems.append(f"{root}['restorePoint']['backupRef'] {problem}")
    return problems
