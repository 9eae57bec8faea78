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

"""The environment of a release: its Trove, Keystone and Swift, by its constraints."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from trove_ext.tests.releases.series import Series

CHECKOUT = Path(__file__).parents[3]
PACKAGE = CHECKOUT / "trove_ext"
_DONE = "trove-ext-releases"
#: Swift is not in the constraints, and stores backups for the Trove of any release.
SWIFT = "swift==2.38.0"
#: What the sandbox needs apart from the services. pkg_resources, which packages of
#: 2023 import, is not in later versions of setuptools.
_MORE = ("cheroot", "PyMySQL", "setuptools<81", SWIFT)
#: Its versions in the constraints have no wheel with liberasurecode.
_UNCONSTRAINED = "pyeclib="
#: Not pip, which takes minutes to resolve the old packages of each release.
_INSTALL = ("uv", "pip", "install", "--quiet", "--python")


class EnvironmentMissingError(Exception):
    """The environment of a release can't be made here; one line."""


def constraints(series: Series) -> Path:
    """Return the file with the versions of everything else."""
    tools = CHECKOUT / "tools"
    if series.constrained:
        return tools / "constraints" / f"{series.name}.txt"
    return tools / "constraints.txt"


def requirements(series: Series) -> tuple[str, ...]:
    """Return what is installed."""
    return (f"trove=={series.trove}", f"keystone=={series.keystone}", *_MORE)


def make(series: Series, root: Path) -> Path:
    """Make the environment of a release below *root*; return its interpreter.

    One that was made before from the same requirements is kept. Raises
    EnvironmentMissingError if Python is missing or the installation fails.
    """
    where = root / series.name
    python, done = where / "bin" / "python", where / _DONE
    limits = _limits(series)
    stamp = "\n".join([limits, *requirements(series)])
    if not done.exists() or done.read_text() != stamp:
        shutil.rmtree(where, ignore_errors=True)
        _run([str(interpreter(series)), "-m", "venv", str(where)])
        file = where / "constraints.txt"
        file.write_text(limits)
        arguments = ["-c", str(file), *requirements(series)]
        _run([sys.executable, "-m", *_INSTALL, str(python), *arguments])
        done.write_text(stamp)
    _link(where)
    return python


def _limits(series: Series) -> str:
    """Return the constraints without those that nothing can be installed with."""
    lines = constraints(series).read_text().splitlines(keepends=True)
    return "".join(x for x in lines if not x.lower().startswith(_UNCONSTRAINED))


def _link(where: Path) -> None:
    """Make this checkout's package available, whose metadata want a newer Python."""
    (site,) = where.glob("lib/python3*/site-packages")
    link = site / PACKAGE.name
    link.unlink(missing_ok=True)
    link.symlink_to(PACKAGE)


def interpreter(series: Series) -> Path:
    """Find the Python of a release.

    Raises EnvironmentMissingError if there is none.
    """
    variable = f"TROVE_EXT_PYTHON{series.python.replace('.', '')}"
    for candidate in _candidates(series.python, variable):
        if _version(candidate) == series.python:
            return Path(candidate)
    raise EnvironmentMissingError(
        f"{series} needs Python {series.python}, which was not found: install it, or"
        f" name it in {variable}"
    )


def _candidates(version: str, variable: str) -> Iterator[str]:
    yield from filter(None, [os.environ.get(variable), sys.executable])
    yield from filter(None, [shutil.which(f"python{version}")])
    # pyenv's own programs on the path only run the versions that are switched on.
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))


def _version(python: str) -> str:
    """Return major and minor version of an interpreter, empty if it does not run."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run(
        [python, "-c", script], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise EnvironmentMissingError(f"{' '.join(command[:4])} ...: {' '.join(last)}")
