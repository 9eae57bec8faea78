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

"""The guest agent's part in logs, which users publish to Swift.

Trove's own code does it (trove/guestagent/guest_log.py); here are the calls, as in
trove/guestagent/datastore/manager.py.
"""

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from trove.common import cfg, exception
from trove.guestagent import guest_log
from trove.guestagent.common import operating_system

from trove_ext.sandbox.guest.agent_base import AgentBase, Info, Statuses

# The original runs sudo for files that only the database may read; here the user of
# the sandbox has them all.
guest_log.operating_system = SimpleNamespace(
    FileMode=operating_system.FileMode,
    exists=lambda path, **_more: Path(path).exists(),
    chmod=lambda *_args, **_more: None,
    chown=lambda *_args, **_more: None,
)


@dataclass(frozen=True)
class LogDefinition:
    """A log that the guest has."""

    file: Path
    enable: Mapping[str, Any] = field(default_factory=dict)
    """Settings that switch it on; none for a log that is always on."""
    disable: Mapping[str, Any] = field(default_factory=dict)
    needs_restart: bool = False

    @property
    def kind(self) -> guest_log.LogType:
        """Whether users can switch it."""
        kinds = guest_log.LogType
        return kinds.USER if self.enable else kinds.SYS


class _Log(guest_log.GuestLog):  # type: ignore[misc]
    """A log of one instance; Trove's has its names from the guest's configuration."""

    def __init__(self, prefix: str, *args: Any) -> None:
        self._prefix = prefix
        super().__init__(*args)

    def _object_prefix(self) -> str:
        return self._prefix


class LogAgent(AgentBase):
    """Publishes logs."""

    @abc.abstractmethod
    def _log_definitions(self) -> dict[str, LogDefinition]:
        """Return the logs of the engine by their names."""

    def guest_log_list(self, context: Any) -> list[Info]:
        """List the logs that the user may see."""
        return [log.show() for _name, log in self._logs(context) if log.exposed]

    def guest_log_action(  # noqa: PLR0917 - the order is Trove's
        self,
        context: Any,
        log_name: str,
        enable: bool | None,
        disable: bool | None,
        publish: bool | None,
        discard: bool | None,
    ) -> Info:
        """Switch a log on or off, publish or discard it; guest_log_action.

        Raises BadRequest, NotFound, LogAccessForbidden.
        """
        if enable and disable:
            raise exception.BadRequest(f"Cannot enable and disable log '{log_name}'.")
        enable = enable or (publish and not disable)
        logs = dict(self._logs(context))
        if log_name not in logs:
            raise exception.NotFound(f"Log '{log_name}' is not defined.")
        log = logs[log_name]
        if log.type == guest_log.LogType.SYS and not publish and (enable or disable):
            verb = "enable" if enable else "disable"
            raise exception.BadRequest(f"Cannot {verb} a SYSTEM log ('{log_name}').")
        needed = disable if log.enabled else enable
        if log.type == guest_log.LogType.USER and needed:
            self._switch_log(log_name, on=bool(enable))
            log.enabled = bool(enable)
            states = guest_log.LogStatus
            log.status = states.Enabled if enable else states.Disabled
        shown: Info = log.show()
        if discard:
            shown = log.discard_log()
        if publish:
            shown = log.publish_log()
        return shown

    def _switch_log(self, name: str, *, on: bool) -> None:
        """As guest_log_enable in datastore/manager.py."""
        definition = self._log_definitions()[name]
        if on:
            self._db.write_override(f"{name}_log", definition.enable)
        else:
            self._db.remove_override(f"{name}_log")
        if definition.needs_restart:
            self._set_status(Statuses.RESTART_REQUIRED)
        else:
            values = definition.enable if on else definition.disable
            self.apply_overrides(None, values)

    @abc.abstractmethod
    def apply_overrides(self, context: Any, overrides: Mapping[str, Any]) -> None:
        """Apply settings at once, as far as possible."""

    def _logs(self, context: Any) -> Iterator[tuple[str, _Log]]:
        """Yield all logs by their names; what was published is in the metafiles."""
        exposed = cfg.CONF[self.manager].guest_log_exposed_logs
        for name, definition in self._log_definitions().items():
            log = _Log(
                f"{self._instance_id}/{self.manager}-{name}/",
                *(context, name, definition.kind, None, str(definition.file)),
                name in exposed,
            )
            if definition.enable:
                log.enabled = self._db.has_override(f"{name}_log")
                states = guest_log.LogStatus
                log.status = states.Enabled if log.enabled else states.Disabled
            yield name, log
