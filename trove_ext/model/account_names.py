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

"""Names of databases and users that the guest agents of MySQL and MariaDB refuse.

Trove's API accepts them at the creation of an instance
(``trove/extensions/common/common.py``, ``populate_validated_databases``). The guest
refuses them, only logs that (``trove/guestagent/datastore/manager.py``, ``_prepare``),
and creates none of those that follow. The rules are those of ``MySQLSchema`` and
``MySQLUser`` in ``trove/common/db/mysql/models.py``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The datastores whose guests have these rules.
DATASTORES = frozenset({"mysql", "mariadb", "percona", "pxc"})
LONGEST_DATABASE = 64
LONGEST_USER = 16
_DATABASE = re.compile(r"^[A-Za-z0-9_-]+[\s?#@]*[A-Za-z0-9_-]+$")
_REFUSED_IN_USERS = re.compile(r"""^\s|\s$|'|"|;|`|,|/|\\""")


def is_database_refused(name: str) -> bool:
    """Return whether the guest refuses a database of this name."""
    allowed = _DATABASE.match(name) and "\\" not in repr(name)
    return len(name) > LONGEST_DATABASE or not allowed


def is_user_refused(name: str) -> bool:
    """Return whether the guest refuses a user of this name."""
    return len(name) > LONGEST_USER or _is_string_refused(name)


def is_password_refused(password: str) -> bool:
    """Return whether the guest refuses a user with this password."""
    return _is_string_refused(password)


def _is_string_refused(text: str) -> bool:
    bad = not text or _REFUSED_IN_USERS.search(text) or "\\" in repr(text)
    return bool(bad)


def problems(
    databases: Iterable[str], users: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Describe what the guest will refuse, without a password.

    :param users: names and passwords
    """
    for name in databases:
        if is_database_refused(name):
            hint = " (several names are separated by spaces)" if "," in name else ""
            yield f"database {name!r}: not a valid name{hint}"
    for name, password in users:
        if is_user_refused(name):
            yield f"user {name!r}: not a valid name"
        elif is_password_refused(password):
            yield f"user {name!r}: not a valid password"
