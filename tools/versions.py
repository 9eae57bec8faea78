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

"""Print the versions that the tests run with, for the log of a test run.

python tools/versions.py [REQUIREMENTS-FILE]...

One line for Python and one for each installed package that the files name, the two
files of this project by default, with the lower bound that the file gives.
"""

import platform
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ("requirements.txt", "test-requirements.txt")
#: What no file names, but behaves differently from release to release.
MORE = ("cmd2", "openstacksdk", "PyMySQL", "urllib3")
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?")


def bounds(*paths: Path) -> dict[str, str]:
    """Return the lower bound of each package that is named; empty if it has none."""
    lines = [line for path in paths for line in path.read_text().splitlines()]
    found = [REQUIREMENT.match(line) for line in lines]
    return {match[1]: match[2] or "" for match in found if match}


def version_of(name: str) -> str:
    """Return the installed version."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"


def main() -> None:
    """Print the table."""
    paths = [Path(name) for name in sys.argv[1:]] or [ROOT / name for name in FILES]
    named = bounds(*paths) | dict.fromkeys(MORE, "")
    print(f"{'Python':28}{platform.python_version()}")
    for name, bound in sorted(named.items(), key=lambda pair: pair[0].lower()):
        note = f"lower bound {bound}" if bound else ""
        print(f"{name:28}{version_of(name):12}{note}".rstrip())


if __name__ == "__main__":
    main()
