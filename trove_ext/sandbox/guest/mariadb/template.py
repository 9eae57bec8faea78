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

"""The empty data directory that every new instance starts from."""

import os
import shutil
import subprocess
from pathlib import Path

from trove_ext.sandbox.guest import programs


def prepare_template(state_dir: Path) -> Path:
    """Create the template under *state_dir* unless it exists, and return it.

    Raises ProgramError if mariadb-install-db is missing or fails.
    """
    template = state_dir / "template"
    if template.is_dir():
        return template
    state_dir.mkdir(parents=True, exist_ok=True)
    # Under another name until it is complete: an interrupted one is never used.
    unfinished = state_dir / f"template.{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    programs.run(_install_command(unfinished))
    _drop_named_roots(unfinished)
    unfinished.rename(template)
    return template


def copy_template(state_dir: Path, target: Path) -> None:
    """Create *target* as an empty data directory, by reflink if the disk supports that.

    Raises ProgramError if cp fails, for instance on a full disk.
    """
    source = prepare_template(state_dir)
    # Sparse, because the redo log is 32 MB of almost only zeros.
    command = ["cp", "-a", "--reflink=auto", "--sparse=always"]
    programs.run([*command, str(source), str(target)])


def _install_command(target: Path) -> list[str]:
    return [
        programs.find("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={target}",
        # Not /tmp: the temporary files of other servers there would be removed.
        f"--tmpdir={target.parent}",
        *programs.as_user(),
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
        "--innodb-log-file-size=32M",
    ]


def _drop_named_roots(data_dir: Path) -> None:
    """Remove the root accounts named after this machine, which Trove doesn't have.

    Trove's is_root_enabled counts every root that isn't at localhost.
    """
    sql = "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';\n"
    command = [
        programs.find("mariadbd"),
        "--no-defaults",
        f"--datadir={data_dir}",
        f"--tmpdir={data_dir.parent}",
        *programs.as_user(),
        "--bootstrap",
        "--innodb-log-file-size=32M",
    ]
    subprocess.run(command, input=sql.encode(), check=True, stderr=subprocess.DEVNULL)
