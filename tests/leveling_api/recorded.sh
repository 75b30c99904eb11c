#!/bin/sh
# recorded.sh BIN_DIRECTORY: the recorded answers of the server that ours replaces, over a database imported from the old schema. What may
# differ stands in known_differences.txt. Skipped (77) where the recordings or the tools to replay them are missing.
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
recorded=$here/../../../shared/api-contract
for tool in python3 sqlite3; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
[ -x "$recorded/compare.py" ] || { echo "skipped: no recordings"; exit 77; }
[ -x "$bin/walle-db" ] || { echo "skipped: walle-db is not built"; exit 77; }

work=$(mktemp -d "${TMPDIR:-/tmp}/walle-recorded-XXXXXX")
server=
clean_up() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	[ -z "$server" ] || wait "$server" 2>/dev/null || :
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

sqlite3 "$work/old.db" <"$recorded/django-schema.sql"
PYTHONDONTWRITEBYTECODE=1 python3 "$recorded/seed_db.py" "$work/old.db" --users 137 >/dev/null
export database_config__PATH="$work/walle.sqlite3" leveling_api__PORT=0 leveling_api__BIND=127.0.0.1
unset WALLE_CONFIG
"$bin/walle-db" import "$work/old.db" >/dev/null
# The log is there before the loop below reads it, however late the server starts.
: >"$work/log"
"$bin/walle-leveling-api" 2>>"$work/log" &
server=$!
port=
i=0
while [ "$i" -lt 100 ] && { [ -z "$port" ] || ! grep -q 'database opened' "$work/log"; }; do
	port=$(sed -n 's/.*msg="*listening"*.* port=\([0-9]*\).*/\1/p' "$work/log")
	i=$((i + 1))
	sleep 0.05
done
[ -n "$port" ] || { cat "$work/log"; exit 1; }
PYTHONDONTWRITEBYTECODE=1 python3 "$recorded/compare.py" "http://127.0.0.1:$port" users137 --known "$here/known_differences.txt"
