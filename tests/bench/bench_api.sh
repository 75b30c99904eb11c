#!/bin/sh
# bench_api.sh [--json] [--quick]: the levelling API beside a bare libmicrohttpd server (api_bare.c: one thread, a constant body of the same size)
# under the same load from wrk, in turns, in one run. Both serve on one thread, so processor time per request is compared as well: it tells
# them apart even on a machine where the load generator and others take their share. The median of the rounds counts.
# WALLE_BUILD: the build directory (build/bench). --quick: a tenth of the work, nothing judged.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${WALLE_BUILD:-$here/../../build/bench}
json=no quick=no
for argument in "$@"; do
	case $argument in
	--json) json=yes ;;
	--quick) quick=yes ;;
	*) echo "usage: bench_api.sh [--json] [--quick]" >&2; exit 2 ;;
	esac
done
command -v wrk >/dev/null || { echo "bench_api.sh: install wrk" >&2; exit 1; }
if [ $quick = yes ]; then
	seconds=1 rounds=1 many=100000
else
	seconds=4 rounds=3 many=1000000
fi
few=7000

work=$(mktemp -d "${TMPDIR:-/tmp}/walle-bench-api-XXXXXX")
pids=''
clean_up() {
	for pid in $pids; do kill "$pid" 2>/dev/null || :; done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
export leveling_api__PORT=0 leveling_api__BIND=127.0.0.1
unset WALLE_CONFIG

# start_api DATABASE: sets api_pid, api_port, api_ms
start_api() {
	database_config__PATH=$1 "$build/bench/api-run" "$build/bin/walle-leveling-api" "$work/log" >"$work/run"
	read -r api_pid api_port api_ms <"$work/run"
	pids="$pids $api_pid"
}
# start_bare BYTES: sets bare_pid, bare_port
start_bare() {
	rm -f "$work/bare"
	"$build/bench/api-bare" "$1" >"$work/bare" &
	bare_pid=$!
	pids="$pids $bare_pid"
	tries=0
	while [ ! -s "$work/bare" ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || {
			echo 'bench_api.sh: the bare server does not start' >&2
			exit 1
		}
		sleep 0.02
	done
	read -r bare_port <"$work/bare"
}
stop() { kill "$1" 2>/dev/null || :; }

ticks=$(getconf CLK_TCK)
used() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
# load PID PORT WHAT PAGES [CONNECTIONS [DELAY_US [FIRST]]]: prints "REQUESTS_A_SECOND CPU_US P50 P99 ERRORS"
load() {
	before=$(used "$1")
	wrk -t1 -c"${5:-32}" -d"${seconds}s" -s "$here/api_load.lua" "http://127.0.0.1:$2" -- "$3" "$4" "${6:-0}" "${7:-1}" >"$work/wrk"
	after=$(used "$1")
	awk -v cpu=$((after - before)) -v ticks="$ticks" -v seconds="$seconds" '/^RESULT/ {
		printf "%d %.2f %d %d %d\n", $2, cpu * 1e6 / ticks / ($2 * seconds), $3, $4, $5 }' "$work/wrk"
}
# median FILE COLUMN
median() { awk -v c="$2" '{ print $c }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

rows=$work/rows
: >"$rows"
# row|WHAT|UNIT|FIGURE|BASELINE|TARGET|KIND (at_least: ratio of figure to baseline; at_most: the figure)
row() { echo "$1|$2|$3|$4|$5|$6" >>"$rows"; }

# compare NAME WHAT PAGES TARGET: our rate beside the bare server's; sets ours.
compare() {
	size=$(curl -s -o /dev/null -w '%{size_download}' "http://127.0.0.1:$api_port$(path_of "$2")")
	start_bare "$size"
	: >"$work/a"
	: >"$work/b"
	load "$bare_pid" "$bare_port" "$2" "$3" >/dev/null
	load "$api_pid" "$api_port" "$2" "$3" >/dev/null
	round=0
	while [ $round -lt $rounds ]; do
		load "$bare_pid" "$bare_port" "$2" "$3" >>"$work/b"
		load "$api_pid" "$api_port" "$2" "$3" >>"$work/a"
		round=$((round + 1))
	done
	stop "$bare_pid"
	ours=$(median "$work/a" 1)
	if [ "$(awk '{ e += $5 } END { print e }' "$work/a")" != 0 ] && [ "$2" != filter ]; then
		echo "bench_api.sh: $1: some answers were errors" >&2
		exit 1
	fi
	row "$1" "requests/s" "$ours" "$(median "$work/b" 1)" "$4" at_least
	# Time instead of rate: the baseline's over ours is the same ratio.
	row "$1, processor time" "us/request" "$(median "$work/a" 2)" "$(median "$work/b" 2)" "$4" time_ratio
}
# compare_depth NAME WHAT PAGES: the last fifth of the pages beside the first fifth.
compare_depth() {
	: >"$work/a"
	: >"$work/b"
	round=0
	while [ $round -lt $rounds ]; do
		load "$api_pid" "$api_port" "$2" $(($3 / 5)) >>"$work/b"
		load "$api_pid" "$api_port" "$2" "$3" 32 0 $(($3 * 4 / 5)) >>"$work/a"
		round=$((round + 1))
	done
	row "$1: the last fifth of the pages beside the first" "requests/s" "$(median "$work/a" 1)" "$(median "$work/b" 1)" 0.8 at_least
}
path_of() {
	case $1 in
	levels) echo '/levels/?format=json' ;;
	*) echo '/user_points/?format=json&page_size=20&page=1' ;;
	esac
}
resident() { awk '/^VmRSS/ { printf "%.1f\n", $2 / 1024 }' "/proc/$1/status"; }

"$build/bench/api-data" fill "$work/few.sqlite3" $few
start_api "$work/few.sqlite3"
row "start to first answer, $few members" ms "$api_ms" '' 100 at_most
compare "the website's request, page 1, $few members" page1 1 0.8
page1=$ours

# Half of the maximum, by letting 64 connections wait between requests; the bare server at the same pace, in turns.
start_bare "$size"
: >"$work/p"
: >"$work/q"
round=0
while [ $round -lt $rounds ]; do
	load "$bare_pid" "$bare_port" page1 1 64 $((64 * 2 * 1000000 / page1)) >>"$work/q"
	load "$api_pid" "$api_port" page1 1 64 $((64 * 2 * 1000000 / page1)) >>"$work/p"
	round=$((round + 1))
done
stop "$bare_pid"
row "p99 at $(median "$work/p" 1) requests/s, about half of the maximum" us "$(median "$work/p" 4)" "$(median "$work/q" 4)" 2000 at_most

compare "any page, $few members" random 350 0.7
compare "filter by date with paging, $few members" filter $((few / 20 / 4)) 0.3
compare "/levels/" levels 1 0.8

"$build/bench/api-data" award "$work/few.sqlite3" $few 1000 $((seconds * rounds + 2)) >"$work/awards" &
award_pid=$!
sleep 0.5
: >"$work/a"
round=0
while [ $round -lt $rounds ]; do
	load "$api_pid" "$api_port" page1 1 >>"$work/a"
	round=$((round + 1))
done
wait $award_pid
row "page 1 during $(cat "$work/awards") awards/s, each its own commit" "requests/s" "$(median "$work/a" 1)" "$page1" 0.5 at_least
row "resident memory, $few members, after all this" MiB "$(resident "$api_pid")" '' 32 at_most
stop "$api_pid"

"$build/bench/api-data" fill "$work/many.sqlite3" $many
start_api "$work/many.sqlite3"
row "start to first answer, $many members" ms "$api_ms" '' 2000 at_most
compare "any page, $many members" random $((many / 20)) 0.5
compare_depth "any page, $many members" random $((many / 20))
compare "filter by date with paging, $many members" filter $((many / 20 / 4)) 0.3
compare_depth "filter by date with paging, $many members" filter $((many / 20 / 4))
row "resident memory, $many members" MiB "$(resident "$api_pid")" '' 160 at_most
stop "$api_pid"

[ $quick = no ] || sed -i 's/|[^|]*|\([^|]*\)$/||\1/' "$rows"
awk -F'|' -v json=$json -v quick=$quick -v processors="$(getconf _NPROCESSORS_ONLN)" -v seconds=$seconds -v rounds=$rounds '
function ratio() { return $6 == "time_ratio" ? $4 / $3 : $3 / $4 }
function met() { return $6 == "at_most" ? $3 <= $5 : ratio() >= $5 }
BEGIN {
	if (json == "yes")
		printf "{\"benchmark\":\"api\",\"quick\":%s,\"processors\":%d,\"rows\":[", quick == "yes" ? "true" : "false", processors
	else
		printf "\napi: the levelling API beside a bare libmicrohttpd server\n\n%-66s %11s %11s %7s  %-9s\n", "", "figure", "baseline", "ratio", "target"
}
{
	r = $4 != "" && $3 > 0 ? ratio() : 0
	judged = $5 != ""
	bad += judged && !met()
	if (json == "yes") {
		printf "%s{\"what\":\"%s\",\"unit\":\"%s\",\"figure\":%s", (NR > 1 ? "," : ""), $1, $2, $3
		if ($4 != "") printf ",\"baseline\":%s,\"ratio\":%.3f", $4, r
		if (judged) printf ",\"target\":%s,\"target_kind\":\"%s\",\"met\":%s", $5, ($6 == "at_most" ? "figure at most" : "ratio at least"), (met() ? "true" : "false")
		printf "}"
	} else {
		printf "%-66s %11s %11s %7s  %-9s %s\n", $1 ", " $2, $3, $4, r ? sprintf("%.2f", r) : "", judged ? ($6 == "at_most" ? "<= " : ">= ") $5 : "", judged ? (met() ? "met" : "NOT MET") : ""
	}
}
END {
	if (json == "yes") printf "]}\n"
	else printf "\n  %d rounds of %d s each way, 32 connections, one wrk thread; the ratio of times is the baseline over ours.\n\n", rounds, seconds
	exit bad > 0
}' "$rows"
