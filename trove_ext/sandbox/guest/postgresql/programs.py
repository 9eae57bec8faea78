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

"""The paths of PostgreSQL's programs, and how root can run them."""

import functools
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.programs import ProgramError

# Debian and similar systems keep several versions, none of them in the PATH.
_PLACES = Path("/usr/lib/postgresql")
_SERVER = "initdb"


def newest_first(places: Iterable[Path]) -> list[Path]:
    """Sort the directories of versions by their number: 15 comes before 9."""
    numbered = [place for place in places if place.name.isdecimal()]
    return sorted(numbered, key=lambda place: int(place.name), reverse=True)


@functools.cache
def directory() -> Path | None:
    """Return the directory of the newest server's programs, None if there is none."""
    found = newest_first(_PLACES.glob("*")) if _PLACES.is_dir() else []
    for place in found:
        if (place / "bin" / _SERVER).exists():
            return place / "bin"
    elsewhere = shutil.which(_SERVER)
    return Path(elsewhere).resolve().parent if elsewhere else None


def find(name: str) -> str:
    """Return the path of a program; raises ProgramError if it doesn't exist."""
    place = directory()
    if place is None or not (place / name).exists():
        raise ProgramError(f"{name} was not found: install PostgreSQL's server")
    return str(place / name)


def unprivileged() -> list[str]:
    """Return the prefix for a program that refuses to run as root.

    initdb, postgres and pg_rewind refuse. In a user namespace they run as another user,
    whose files belong to root outside; the process ID is the program's own.
    """
    if os.geteuid() != 0:
        return []
    words = ("--user", "--map-user=1000", "--map-group=1000")
    return [programs.find("unshare", "util-linux"), *words, "--"]


@functools.cache
def obstacle() -> str | None:
    """Return why no PostgreSQL can run here, None if it can."""
    try:
        for name in (_SERVER, "postgres", "pg_basebackup", "pg_rewind"):
            find(name)
        programs.run([*unprivileged(), find("postgres"), "--version"])
    except ProgramError as exc:
        return str(exc)
    return None


def number() -> str | None:
    """Return the version of the server here, "15.18"; None if none can run."""
    if obstacle() is not None:
        return None
    # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    text = programs.run([find("postgres"), "--version"])
    found = re.search(r"\) (\d\S*)", text)
    return found.group(1) if found else None


def version() -> str | None:
    """Return the major version of the server here, "15"; None if none can run."""
    full = number()
    return full and full.partition(".")[0]
