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

"""The guest agent's part in TLS: the certificate, the mode, one step back.

SSLManager in trove/guestagent/datastore/ssl.py, which only Trove 26 has. There the mode
is in the guest's configuration, which Trove writes again at a rebuild; here it is in a
file of the host.
"""

# ruff: noqa: ARG002 - Trove's calls carry more than is needed here

import abc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trove_ext.sandbox.guest.agent_base import AgentBase, Info
from trove_ext.sandbox.guest.tls import certificate_details

Files = Mapping[str, str]
"""The texts of ``private_key``, ``certificate`` and ``ca``."""


class TlsAgent(AgentBase):
    """Shows and changes the TLS of a database."""

    def ssl_show(self, context: Any) -> Info:
        """Return whether connections can be encrypted, and the certificate."""
        if not self._tls_is_on():
            return {"status": "off"}
        text = self._tls_files()["certificate"].read_text()
        shown = {"status": "on", "mode": self._tls_mode}
        return {**shown, "certificate": certificate_details(text)}

    def ssl_action(
        self,
        context: Any,
        mode: str,
        container: Info | None,
        enable: bool | None,
        disable: bool | None,
    ) -> Info:
        """Use another certificate or none; the response says if a restart is needed."""
        self._faults.hit("tls", self._instance_id)
        if not (enable or disable):
            return {}
        self._save_tls()
        if enable:
            self._enable_tls(mode, container or {})
        else:
            self._disable_tls()
        return {"restart_required": self._end_tls_change()}

    def ssl_rollback(self, context: Any) -> Info:
        """Restore what was before the last change; FileNotFoundError if none was."""
        before = json.loads(self._tls_before.read_text())
        if before["files"] is None:
            self._disable_tls()
        else:
            self._enable_tls(before["mode"], before["files"])
        self._tls_before.unlink()
        result = {"status": "on" if before["files"] else "off", "mode": before["mode"]}
        return {**result, "restart_required": self._end_tls_change()}

    # For replicas and rebuilds

    def _tls_of_source(self) -> Info:
        """Return what a new replica needs; get_replication_snapshot in manager.py."""
        if self._tls_mode is None or not self._tls_is_on():
            return {}
        return {"cert_container": self._read_tls(), "ssl_mode": self._tls_mode}

    def _adopt_tls(self, info: Info) -> None:
        """Use the certificate of the source, from the next start on."""
        if "cert_container" in info:
            self._enable_tls(info["ssl_mode"], info["cert_container"], starting=True)

    def _keep_tls(self) -> None:
        """Use the certificate that is on the volume, from the next start on."""
        if self._tls_mode is not None:
            self._enable_tls(self._tls_mode, self._read_tls(), starting=True)

    # The state

    @property
    def _tls_before(self) -> Path:
        return self._db.layout.root / "tls_before.json"

    @property
    def _tls_mode_file(self) -> Path:
        return self._db.layout.root / "tls_mode"

    @property
    def _tls_mode(self) -> str | None:
        path = self._tls_mode_file
        return path.read_text() if path.exists() else None

    def _read_tls(self) -> dict[str, str]:
        return {key: path.read_text() for key, path in self._tls_files().items()}

    def _save_tls(self) -> None:
        files = self._read_tls() if self._tls_is_on() else None
        text = json.dumps({"mode": self._tls_mode, "files": files})
        self._tls_before.touch(mode=0o600)
        self._tls_before.write_text(text)

    def _enable_tls(self, mode: str, files: Files, *, starting: bool = False) -> None:
        for key, path in self._tls_files().items():
            if files.get(key):
                path.touch(mode=0o600)
                path.write_text(files[key])
        self._apply_tls(mode, starting=starting)
        self._tls_mode_file.write_text(mode)

    def _disable_tls(self) -> None:
        self._apply_tls(None, starting=False)
        self._tls_mode_file.unlink(missing_ok=True)

    # The engine

    @abc.abstractmethod
    def _tls_files(self) -> dict[str, Path]:
        """Return the files, which are on the volume, by their names in Trove."""

    @abc.abstractmethod
    def _tls_is_on(self) -> bool:
        """Whether the running server accepts TLS with a certificate of the user's."""

    @abc.abstractmethod
    def _end_tls_change(self) -> bool:
        """Make a change effective; if that needs a restart, report it, return True."""

    @abc.abstractmethod
    def _apply_tls(self, mode: str | None, *, starting: bool) -> None:
        """Configure a mode, None for no TLS; if *starting*, without a connection."""
