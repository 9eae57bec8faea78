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

"""Backups drawn as trees, for tests.

A line is a backup: its ID, then any of: its state, ``@days`` (created this many days
after `EPOCH`; by default a day after the line above), ``field=value``. Two columns of
indentation, drawn with ``|``, ``+-`` or spaces, make it a child::

    a
    +- b
    |  +- c FAILED
    +- d @9.5 instance_id=db2
"""

import re
from datetime import UTC, datetime, timedelta

from trove_ext.model.backup import Backup

EPOCH = datetime(2026, 8, 1, 12, tzinfo=UTC)
LINE = re.compile(r"^(?P<indent>[ |+`-]*)(?P<id>\S+)(?P<rest>.*)$")


def day(number):
    return EPOCH + timedelta(days=number)


def backup(backup_id, **fields):
    created = fields.pop("created", EPOCH)
    facts = {
        "name": f"name-of-{backup_id}",
        "instance_id": "db1",
        "status": "COMPLETED",
        "parent_id": None,
        "size": 1.0,
        "created": created,
        "updated": created,
        "datastore": "mysql",
        "datastore_version": "5.7.29",
        "datastore_version_id": "v1",
    }
    return Backup(**{"id": backup_id, **facts, **fields})


def draw(text):
    """Return the backups of a drawing, as drawn."""
    backups, above = [], []
    for line in filter(str.strip, text.splitlines()):
        match = LINE.match(line)
        indent = len(match["indent"])
        above = [entry for entry in above if entry[0] < indent]
        parent_id = above[-1][1] if above else None
        fields = {"parent_id": parent_id, "created": day(len(backups))}
        fields.update(_fields(match["rest"].split()))
        backups.append(backup(match["id"], **fields))
        above.append((indent, match["id"]))
    return backups


def _fields(words):
    for word in words:
        if word.startswith("@"):
            yield "created", day(float(word[1:]))
        elif "=" in word:
            name, value = word.split("=", 1)
            yield name, _value(name, value)
        else:
            yield "status", word


def _value(name, text):
    if not text:
        return None
    return float(text) if name == "size" else text


def ids(backups):
    return [backup.id for backup in backups]
