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
import threading
from pathlib import Path

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.postgresql import config
from trove_ext.sandbox.guest.postgresql.programs import find, unprivileged

# Two instances may be the first at once.
_LOCK = threading.Lock()


def prepare_template(state_dir: Path) -> Path:
    """Create the template under *state_dir* unless it exists, and return it.

    The first instance waits for this, not ``trove-sandbox up``. Raises ProgramError if
    initdb fails.
    """
    template = state_dir / "template-postgresql"
    with _LOCK:
        if not template.is_dir():
            # Under another name until it is complete.
            unfinished = template.with_name(f"{template.name}.{os.getpid()}")
            shutil.rmtree(unfinished, ignore_errors=True)
            programs.run(_initdb_command(unfinished))
            unfinished.rename(template)
    return template


def copy_template(state_dir: Path, target: Path) -> None:
    """Create *target* as an empty data directory, by reflink if the disk supports it.

    Raises ProgramError if cp fails, for instance on a full disk.
    """
    source = prepare_template(state_dir)
    # Sparse, because the first WAL segment is 16 MB of almost only zeros.
    command = ["cp", "-a", "--reflink=auto", "--sparse=always"]
    programs.run([*command, str(source), str(target)])


def _initdb_command(target: Path) -> list[str]:
    return [
        *unprivileged(),
        find("initdb"),
        f"--pgdata={target}",
        f"--username={config.SUPERUSER}",
        "--no-sync",
        "--no-instructions",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        # config.access_rules determines who may connect.
        "--auth=trust",
    ]
