#!/usr/bin/env bash
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

# Runs the whole guide, "Working with backups" and "Creating replicas",
# against a real Trove on this machine: a sandbox, whose instances are MariaDB
# whatever the datastore is called, or PostgreSQL. Every count and every replication status is
# checked by SQL; a wrong one ends it with an error.
#
#   tools/demo.sh [--postgresql] [--keep]
#
#   --postgresql   on PostgreSQL, with the forms that are safe there
#   --keep         leave the sandbox running, and say how to use it

set -eu -o pipefail
source "$(dirname "$0")/lib.sh"

ROWS=2000000
MORE=1000
ROOT_PASSWORD=rootpassword
DATASTORE=(--datastore mysql --datastore-version 5.7.29)
postgresql=
# What the guide gives to every instance.
FLAVOR=e3feb785-af2e-41f7-899b-6bbc4e0b526e
NETWORK=908816f1-933c-4ff2-8595-f0f57c689e48

keep=
STATE=
doing='the start'

usage() {
    sed -n '/^# Runs the whole/,/^$/s/^# \{0,1\}//p' "$0"
}

heading() {
    printf '\n\n== %s\n' "$*"
}

# A command as it would be typed: with quotes only if they are needed.
typed() {
    local word line=
    for word in "$@"; do
        if [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then
            :
        elif [[ $word =~ [\"\$\`\\] ]]; then
            word="'$word'"
        else
            word="\"$word\""
        fi
        line+=" $word"
    done
    printf '%s' "${line# }"
}

run() {
    doing=$(typed "$@")
    printf '\n$ %s\n' "$doing"
    "$@" </dev/null
}

# SQL on one instance as a user: sql ADDRESS USER PASSWORD STATEMENT
sql() {
    if [ -n "$postgresql" ]; then
        PGPASSWORD=$3 run psql -X -P border=2 -h "$1" -U "$2" -d myDB -c "$4"
    else
        run mariadb --table -h "$1" "-u$2" "-p$3" myDB -e "$4"
    fi
}

# Runs a query without output, and prints its bare value.
value() {
    if [ -n "$postgresql" ]; then
        PGPASSWORD=dbpassword psql -X -A -t -h "$1" -U dbusr -d myDB -c "$2" </dev/null
    else
        mariadb -N -B -h "$1" -udbusr -pdbpassword myDB -e "$2" </dev/null
    fi
}

address() {
    openstack database instance show "$1" -f json </dev/null \
        | grep -o '127\.[0-9.]*' | head -n 1
}

check() {
    if [ "$2" != "$3" ]; then
        doing="$1: expected $2, found $3"
        return 1
    fi
    printf -- '-- %s: %s, as expected\n' "$1" "$3"
}

check_count() {
    local shown
    doing="counting the rows on $1"
    shown=$(sql "$1" dbusr dbpassword 'SELECT count(*) FROM sbtest1')
    printf '%s\n' "$shown"
    check 'rows in sbtest1' "$2" "$(sed -n 's/^| *\([0-9]*\) |$/\1/p' <<<"$shown")"
}

add_rows() {
    sql "$1" dbusr dbpassword \
        "INSERT INTO sbtest1 (k, c, pad) SELECT k, c, pad FROM sbtest1 LIMIT $MORE"
}

# Writes a row on one side and reads it on the other, with retries.
# check_replicates FROM TO K TEXT (sbtest1 has an index on k)
check_replicates() {
    local from=$1 to=$2 k=$3 text=$4 tries found=
    sql "$from" dbusr dbpassword \
        "INSERT INTO sbtest1 (k, c, pad) VALUES ($k, '$text', '')"
    for ((tries = 0; tries < 100; tries++)); do
        # PostgreSQL fills a CHAR with blanks.
        found=$(value "$to" "SELECT TRIM(c) FROM sbtest1 WHERE k = $k")
        [ -z "$found" ] || break
        sleep 0.1
    done
    sql "$to" dbusr dbpassword "SELECT id, TRIM(c) AS c FROM sbtest1 WHERE k = $k"
    check 'row written on the other side' "$text" "$found"
}

# The replication status of one side, in STATUS.
replication() {
    doing="the replication status of $1"
    STATUS=$(sql "$1" root "$ROOT_PASSWORD" 'SHOW SLAVE STATUS\G')
    printf '%s\n' "$STATUS"
    STATUS=$(sed '1,/^\$ /d' <<<"$STATUS")
}

field() {
    sed -n "s/^ *$1: //p" <<<"$STATUS"
}

clean_up() {
    local code=$?
    trap - EXIT
    [ "$code" -eq 0 ] || printf '\ndemo.sh: FAILED at: %s\n' "$doing" >&2
    if [ -z "$STATE" ]; then
        exit "$code"
    elif [ -n "$keep" ] && [ -f "$STATE/sandbox/clouds.yaml" ]; then
        say_how
    else
        trove-sandbox --dir "$STATE/sandbox" down >/dev/null 2>&1 </dev/null || true
        rm -rf "$STATE"
    fi
    exit "$code"
}

say_how() {
    cat <<END

The sandbox still runs. To use it:

  . $VENV/bin/activate
  export OS_CLIENT_CONFIG_FILE=$OS_CLIENT_CONFIG_FILE
  export OS_CLOUD=$OS_CLOUD
  openstack database instance list

To stop it and remove all of it:

  trove-sandbox --dir $STATE/sandbox down
  rm -r $STATE
END
}

# The datastore version is that of the installed server, in which psql is as well.
choose_postgresql() {
    local newest
    newest=$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -n 1) \
        || die 'PostgreSQL is not installed (Debian: postgresql)'
    newest=${newest#/usr/lib/postgresql/}
    DATASTORE=(--datastore postgresql --datastore-version "${newest%%/*}")
    PATH=$PATH:/usr/lib/postgresql/${newest%%/*}/bin
    ROWS=500000
}

start() {
    heading 'A sandbox: Keystone, Trove and its database'
    local exports
    STATE=$(mktemp -d -t trove-ext-demo.XXXXXX)
    # Clients keep files in HOME and read settings there.
    export HOME=$STATE/home
    mkdir "$HOME"
    run trove-sandbox --dir "$STATE/sandbox" up
    exports=$(trove-sandbox --dir "$STATE/sandbox" env </dev/null)
    eval "$exports"
}

load() {
    heading "A database with $ROWS rows"
    run openstack database instance create db-instance-1 \
        --flavor $FLAVOR \
        --size 5 \
        "${DATASTORE[@]}" \
        --databases myDB \
        --users dbusr:dbpassword \
        --volume-type b1.standard \
        --nic net-id=$NETWORK \
        --wait
    source_address=$(address db-instance-1)
    if [ -n "$postgresql" ]; then
        fill_postgresql
    else
        run sysbench oltp_read_only --db-driver=mysql "--mysql-host=$source_address" \
            --mysql-user=dbusr --mysql-password=dbpassword --mysql-db=myDB \
            --tables=1 --table-size=$ROWS prepare
    fi
    check_count "$source_address" $ROWS
}

# What sysbench makes, which may be built without PostgreSQL.
fill_postgresql() {
    sql "$source_address" dbusr dbpassword "CREATE TABLE sbtest1 (id SERIAL PRIMARY KEY,
        k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL)"
    sql "$source_address" dbusr dbpassword "INSERT INTO sbtest1 (k, c, pad)
        SELECT n, md5(n::text), '' FROM generate_series(1, $ROWS) AS n"
    sql "$source_address" dbusr dbpassword 'CREATE INDEX k_1 ON sbtest1 (k)'
}

back_up() {
    heading 'A full backup and two incremental ones'
    local database_id
    run openstack database backup create db-instance-1 db1-backup --wait
    run openstack database backup list
    database_id=$(openstack database instance show db-instance-1 -f value -c id)
    add_rows "$source_address"
    run openstack database backup create "$database_id" backup1.1 --incremental --wait
    add_rows "$source_address"
    run openstack database backup create "$database_id" backup1.2 --incremental \
        --parent backup1.1 --wait
    run openstack database backup list
    check_count "$source_address" $((ROWS + 2 * MORE))
}

# On PostgreSQL only a restore with a count shows that an incremental misses no row.
verify() {
    heading 'A verification of the last incremental backup'
    run openstack database backup verify backup1.2 \
        --query 'SELECT count(*) FROM sbtest1' --expect $((ROWS + 2 * MORE))
}

# restore NAME BACKUP
restore() {
    run openstack database instance create "$1" \
        --flavor $FLAVOR \
        --size 5 \
        "${DATASTORE[@]}" \
        --databases myDB \
        --users dbusr:dbpassword \
        --volume-type b1.standard \
        --backup "$2" \
        --nic net-id=$NETWORK \
        --wait
}

rebuild() {
    heading 'The instance is lost, and restored'
    run openstack database instance delete db-instance-1 --wait
    restore db-instance-1-rebuild db1-backup
    run openstack database instance list
    source_address=$(address db-instance-1-rebuild)
    check_count "$source_address" $ROWS
}

restore_incremental() {
    heading 'A restore of the last incremental backup'
    restore db-instance-1-latest backup1.2
    check_count "$(address db-instance-1-latest)" $((ROWS + 2 * MORE))
    run openstack database instance delete db-instance-1-latest --wait
}

replicate() {
    heading 'A replica'
    run openstack database root enable db-instance-1-rebuild \
        --root_password $ROOT_PASSWORD
    run openstack database instance create db-replica-1 \
        --flavor $FLAVOR \
        --size 5 \
        --volume-type b1.standard \
        "${DATASTORE[@]}" \
        --nic net-id=$NETWORK \
        --replica-of db-instance-1-rebuild \
        --wait
    run openstack database instance list
    replica_address=$(address db-replica-1)
    check_count "$replica_address" $ROWS
    check_replicates "$source_address" "$replica_address" -1 'from the source'
}

promote() {
    heading 'The replica becomes the source'
    run openstack database instance promote db-replica-1 --wait
    run openstack database instance list
    replication "$replica_address"
    check 'replication of the new source' none "${STATUS:-none}"
    replication "$source_address"
    check 'source of the old one' "$replica_address" "$(field Master_Host)"
    check 'its receiving thread' Yes "$(field Slave_IO_Running)"
    check 'its applying thread' Yes "$(field Slave_SQL_Running)"
    check_replicates "$replica_address" "$source_address" -2 'from the new source'
}

# Nothing writes, so nothing is lost: Trove does not stop the writes first.
promote_postgresql() {
    heading 'The replica becomes the source'
    run openstack database replica promote db-replica-1 --accept-loss --probe --wait
    run openstack database instance list
    check 'the new source is read-only' f \
        "$(value "$replica_address" 'SELECT pg_is_in_recovery()')"
    check 'the old one is read-only' t \
        "$(value "$source_address" 'SELECT pg_is_in_recovery()')"
    check 'replicas of the new source' 1 \
        "$(value "$replica_address" 'SELECT count(*) FROM pg_stat_replication')"
    check_replicates "$replica_address" "$source_address" -2 'from the new source'
    heading 'The first backup of the new source is a full one'
    run openstack database backup rotate db-replica-1
}

while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=yes ;;
        --postgresql) postgresql=yes ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

doing='setting up'
prepare
if [ -n "$postgresql" ]; then
    choose_postgresql
fi
SECONDS=0
start
load
back_up
[ -z "$postgresql" ] || verify
rebuild
restore_incremental
replicate
"promote${postgresql:+_postgresql}"
printf '\nEverything is as the guide says, after %d seconds.\n' "$SECONDS"
