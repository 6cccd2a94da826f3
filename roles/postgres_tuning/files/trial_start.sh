#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# trial_start.sh BIN_DIRECTORY SECONDS CONFIGURATION: starts PostgreSQL's programs once with this configuration, on an empty
# data directory that it makes and removes. Run it as the account that the real server runs as: root may not.
#
# Exit code 1 and the server's words: it does not start. 2: that could not be tried, and why.
set -eu

bin=$1 seconds=$2 configuration=$3
cd /
# TMPDIR may be that of the account that came here, and closed to this one.
home=$(mktemp -d "${TMPDIR:-/tmp}/midi-capacity-trial.XXXXXX" 2>/dev/null || mktemp -d /tmp/midi-capacity-trial.XXXXXX) || exit 2
trap 'rm -rf "$home"' EXIT
trap 'exit 2' HUP INT TERM

if ! "$bin/initdb" --pgdata="$home/data" --no-sync --auth=reject >"$home/initdb.log" 2>&1; then
  tail -n 3 "$home/initdb.log" >&2
  exit 2
fi
{
  printf '%s\n' "$configuration"
  # Nobody can connect to it; huge pages are the real server's for as long as it runs.
  printf "listen_addresses = ''\nunix_socket_directories = '%s'\nport = 5432\nlogging_collector = off\n" "$home"
  printf "log_destination = stderr\nhuge_pages = off\nautovacuum = off\n"
} >>"$home/data/postgresql.conf"
if ! "$bin/pg_ctl" start --silent --wait --timeout="$seconds" --pgdata="$home/data" --log="$home/log" >"$home/pg_ctl.log" 2>&1; then
  "$bin/pg_ctl" stop --silent --mode=immediate --pgdata="$home/data" >/dev/null 2>&1 || true
  grep -E 'FATAL|PANIC|ERROR|HINT|DETAIL' "$home/log" >&2 || cat "$home/log" "$home/pg_ctl.log" >&2
  exit 1
fi
"$bin/pg_ctl" stop --silent --wait --mode=immediate --pgdata="$home/data"
