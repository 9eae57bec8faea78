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

"""Actions that the sandbox's Trove refuses with 403, as public clouds do by policy.

oslo.policy reads its file again when it has changed.
"""

import json
from pathlib import Path

import yaml

from trove_ext.sandbox.state import SandboxError, write_private

RULES = {
    "promote": "instance:promote_to_replica_source",
    "eject": "instance:eject_replica_source",
    # For Trove a detach is an update (trove/instance/service.py), as are a change of
    # the name, the configuration, the version and the access.
    "detach": "instance:update",
    "backup-create": "backup:create",
    "backup-delete": "backup:delete",
    "create": "instance:create",
    "delete": "instance:delete",
}


def read(path: Path) -> dict[str, str]:
    """Read the rules that differ from Trove's own, by their names in Trove."""
    return yaml.safe_load(path.read_text()) or {} if path.exists() else {}


def rule(action: str) -> str:
    """Return Trove's name for an action, which may be given itself (``a:b``).

    Raises SandboxError for an unknown action.
    """
    if action in RULES:
        return RULES[action]
    if action in known_rules():
        return action
    raise SandboxError(
        f"{action} is neither a rule of Trove nor one of {', '.join(RULES)}"
    )


def known_rules() -> set[str]:
    """Return the names of all rules that Trove checks."""
    from trove.common import policies

    return {known.name for known in policies.list_rules()}


def forbid(path: Path, action: str, project_id: str | None = None) -> None:
    """Allow *action* only to admins from now on, in one project or in all."""
    check = "role:admin"
    if project_id is not None:
        check += f" or not project_id:{project_id}"
    _write(path, read(path) | {rule(action): check})


def clear(path: Path) -> None:
    """Restore Trove's own rules."""
    _write(path, {})


def _write(path: Path, rules: dict[str, str]) -> None:
    write_private(path, json.dumps(rules, indent=2) + "\n")
