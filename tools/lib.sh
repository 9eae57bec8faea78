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

# What tools/demo.sh and tools/test.sh share: finding Python, installing
# Debian's packages, and the project's own virtual environment. To be sourced;
# call `prepare`, which leaves the environment's programs first on the PATH.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=${TROVE_EXT_VENV:-$ROOT/.venv}
CONSTRAINTS=$ROOT/tools/constraints.txt

# The same locale on every machine; C.UTF-8 is part of Debian's libc.
export LC_ALL=C.UTF-8 TZ=UTC
# Debian keeps mariadbd outside the PATH of plain users.
export PATH="$PATH:/usr/sbin:/sbin"
# The caller's settings must not affect the sandbox's openstack.
unset "${!OS_@}" PYTHONPATH PYTHONHOME VIRTUAL_ENV

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# The first interpreter that is new enough, or nothing.
find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
                2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 0
}

# Lines "package command..." of bindep.txt, of all profiles.
system_packages() {
    sed -n 's/^\([a-z0-9.+-]*\) *\[platform:dpkg[^]]*\] *# */\1 /p' "$ROOT/bindep.txt"
}

# Whether a program exists; Debian keeps PostgreSQL's outside the PATH.
have() {
    command -v "$1" >/dev/null \
        || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}

# The packages with a missing program, and missing parts of Python.
missing_packages() {
    local package commands command python
    while read -r package commands; do
        for command in $commands; do
            if ! have "$command"; then
                echo "$package"
                break
            fi
        done
    done < <(system_packages)
    python=$(find_python)
    if [ -z "$python" ]; then
        printf '%s\n' python3 python3-venv
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    fi
}

# Prints the prefix that runs a command as root; fails if there is none.
root_prefix() {
    if [ "$(id -u)" -eq 0 ]; then
        echo env
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        echo sudo
    else
        return 1
    fi
}

cannot_install() {
    say "These packages are missing and can't be installed from here ($1):"
    printf '  %s\n' "${@:2}" >&2
    say "Install them as root, then run this again:"
    say "  apt-get install --no-install-recommends ${*:2}"
    exit 1
}

# Shows the log of a command only if it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

apt_install() {
    local as_root=$1 rc=0
    shift
    without_cluster "$as_root" "$@" || return
    quietly "$as_root" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@" || rc=$?
    "$as_root" rm -f "$NO_CLUSTER"
    return "$rc"
}

# Debian's PostgreSQL makes and starts a database of the system when it is installed,
# unless a file in this directory says otherwise (pg_createcluster(1)).
NO_CLUSTER=/etc/postgresql-common/createcluster.d/trove-ext.conf

without_cluster() {
    [[ " $* " = *" postgresql"* ]] || return 0
    "$1" mkdir -p "$(dirname "$NO_CLUSTER")" \
        && echo 'create_main_cluster = false' | "$1" tee "$NO_CLUSTER" >/dev/null
}

install_packages() {
    local missing as_root
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null \
        || cannot_install "no apt-get here" "${missing[@]}"
    as_root=$(root_prefix) \
        || cannot_install "not root, and no sudo without a password" "${missing[@]}"
    say "Installing ${missing[*]} ..."
    # sudo prompts here, where its prompt is visible.
    [ "$as_root" = env ] || sudo -n true 2>/dev/null || sudo -v \
        || cannot_install "sudo failed" "${missing[@]}"
    if ! apt_install "$as_root" "${missing[@]}" 2>/dev/null; then
        # The package lists may be missing or old.
        quietly "$as_root" apt-get -q update \
            || cannot_install "apt-get update failed" "${missing[@]}"
        apt_install "$as_root" "${missing[@]}" \
            || cannot_install "apt-get install failed" "${missing[@]}"
    fi
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -eq 0 ] || cannot_install "still missing" "${missing[@]}"
}

# Identifies what the virtual environment was made from; changes with the files.
environment_stamp() {
    "$1" -V
    echo "$ROOT"
    (cd "$ROOT" && cat setup.cfg setup.py pyproject.toml requirements.txt \
        test-requirements.txt doc/requirements.txt tools/style-requirements.txt \
        "$CONSTRAINTS") | sha256sum
}

install_project() {
    # pbr reads the version from git, which a tarball does not have, and which
    # refuses the checkout of another user.
    if ! git -C "$ROOT" rev-parse --verify -q HEAD >/dev/null 2>&1; then
        export PBR_VERSION=${PBR_VERSION:-0.0.0}
    fi
    (cd "$ROOT" && "$VENV/bin/python" -m pip install -q \
        --disable-pip-version-check -c "$CONSTRAINTS" \
        -r test-requirements.txt -r doc/requirements.txt \
        -r tools/style-requirements.txt -e '.[sandbox,sql]')
}

make_environment() {
    local python stamp
    python=$(find_python)
    stamp=$(environment_stamp "$python")
    if [ "$(cat "$VENV/.trove-ext-stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    say "Setting up $VENV ..."
    if [ "$("$VENV/bin/python" -V 2>/dev/null)" != "$("$python" -V)" ]; then
        quietly "$python" -m venv --clear "$VENV" \
            || die "can't make a virtual environment in $VENV"
    fi
    quietly install_project || die "pip could not install the project (see above)"
    echo "$stamp" >"$VENV/.trove-ext-stamp"
}

# Installs everything that is needed, at most once; one run at a time.
prepare() {
    install_packages
    mkdir -p "$VENV" || die "can't write $VENV; set TROVE_EXT_VENV to a directory"
    exec 9>"$VENV.lock"
    flock 9
    make_environment
    exec 9>&-
    export PATH="$VENV/bin:$PATH"
}
