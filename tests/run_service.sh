#!/bin/sh
# tests/run_service.sh: container/run-service passes on how its service ended, also when a signal and the end come together, and stays when a
# restart cannot help.
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Ends with 7 at once when it is told to.
cat >"$work/service" <<'SERVICE'
trap 'exit 7' TERM
trap 'echo state' USR1
echo ready
while :; do
	sleep 1 &
	wait $!
done
SERVICE

fail() {
	echo "$*"
	exit 1
}
# said WORD: waits until the service has written it.
said() {
	tries=0
	until grep -q "$1" "$work/out" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || fail "the service has not said '$1'"
		sleep 0.01
	done
}
# start COMMAND ...
start() {
	: >"$work/out"
	container/run-service "$@" >"$work/out" 2>&1 &
}
# ended STATUS: the last one started ends with it.
ended() {
	wait $!
	status=$?
	[ $status = "$1" ] || fail "ended with $status instead of $1: $(cat "$work/out")"
}

round=0
while [ $round -lt 50 ]; do
	round=$((round + 1))
	start sh "$work/service"
	said ready
	kill -TERM $!
	ended 7
done

start sh "$work/service"
said ready
kill -USR1 $!
said state
kill -TERM $!
ended 7

start sh -c 'exit 1'
ended 1
start sh -c 'kill -KILL $$'
ended 137
start sh -c 'exit 3'
said 'a restart cannot help'
kill -TERM $!
ended 3
