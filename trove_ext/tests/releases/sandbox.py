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

"""A sandbox that runs in the environment of a release, and commands against it."""

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from trove_ext.tests.functional.base import Run, run_here
from trove_ext.tests.releases.steps import Step


@dataclass(frozen=True)
class Sandbox:
    """The sandbox of one release, in a directory of its own."""

    python: Path
    """The interpreter of the release's environment."""
    directory: Path

    def up(self) -> None:
        """Start it; raises RuntimeError with the reason."""
        run = self.call("up")
        if run.exit_code:
            raise RuntimeError(run.stderr.strip())

    def down(self) -> None:
        """End its processes."""
        self.call("down")

    def call(self, *argv: str) -> Run:
        """Run ``trove-sandbox``."""
        command = [str(self.python), "-W", "ignore", "-m", "trove_ext.sandbox.cli"]
        done = subprocess.run(
            [*command, "--dir", str(self.directory), *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(argv, done.returncode, done.stdout, done.stderr)

    def environment(self) -> dict[str, str]:
        """Return the variables for ``openstack``."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        return kept | {
            "OS_CLIENT_CONFIG_FILE": str(self.directory / "clouds.yaml"),
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TZ": "UTC",
        }

    def run(self, step: Step) -> Run:
        """Run a step."""
        program, *argv = shlex.split(step.line)
        if program == "trove-sandbox":
            return self.call(*argv)
        if program == "sleep":
            time.sleep(float(argv[0]))
            return Run((program, *argv), 0, "", "")
        environment = self.environment() | {"OS_CLOUD": step.cloud}
        return run_here(("database", program, *argv), environment)
