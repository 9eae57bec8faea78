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
"""What a rotation has done, or would do: a row for each instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.osc.base import columns
from trove_ext.workflows.backup.rotate_start import How

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.workflows.backup.rotate_job import RotateRow

COLUMNS = (
    "Instance",
    "Backup",
    "ID",
    "Type",
    "Status",
    "Result",
    "Kept",
    "Deleted",
    "Note",
)


def table(rows: Sequence[RotateRow]) -> columns.Table:
    """Lay out the rows."""
    return columns.table(COLUMNS, rows, _cells)


def _cells(row: RotateRow) -> dict[str, Any]:
    backup = row.backup
    planned = row.how is How.PLANNED
    kept = len(row.pruned) - row.deleted
    return {
        "Instance": columns.text(row.found.name),
        "Backup": columns.text(backup.name if backup else None),
        "ID": columns.text(backup.id if backup and not planned else None),
        "Type": columns.text(backup.kind.value if backup else None),
        "Status": columns.text(backup.status if backup and not planned else None),
        "Result": _result(row),
        "Kept": kept if row.pruned else columns.number(None),
        "Deleted": row.deleted,
        "Note": columns.text(_note(row)),
    }


def _note(row: RotateRow) -> str:
    text = str(row.error) if row.error else row.note
    return f"{row.found.why}; {text}" if row.found.why else text


def _result(row: RotateRow) -> str:
    if row.error is not None:
        return row.error.exit_code.name.lower()
    return row.how.value if row.how else "failed"
