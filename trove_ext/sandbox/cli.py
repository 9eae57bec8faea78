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

"""A real Trove, Keystone and Swift on this machine, with real database instances.

The datastores mariadb and mysql run the MariaDB that is installed, the datastore
postgresql runs the PostgreSQL.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trove_ext.sandbox import arguments
from trove_ext.sandbox.state import SandboxError, StateDir


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code.

    0; 1 with one line on stderr for an error; 2 for wrong usage.
    """
    os.umask(0o077)
    args = arguments.parser(__doc__).parse_args(argv)
    try:
        return run(args, StateDir(Path(args.dir)))
    except (SandboxError, OSError) as exc:
        print(f"trove-sandbox: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(args: argparse.Namespace, where: StateDir) -> int:
    """Run the command that was parsed, importing no more than it needs."""
    from trove_ext.sandbox import commands

    code: int = getattr(commands, args.run)(args, where)
    return code


if __name__ == "__main__":
    sys.exit(main())
