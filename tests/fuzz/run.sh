#!/bin/sh
# tests/fuzz/run.sh [SECONDS [TARGET ...]]: runs the fuzz targets of the preset fuzz (./walle build fuzz), two at a time, SECONDS each (20).
# What they find is written to build/fuzz/found/; new interesting inputs go to build/fuzz/grown/TARGET, never into the kept corpus:
# 'tests/fuzz/run.sh --keep TARGET ...' adds up to 80 of them, of at most 4 KiB each.
set -eu
cd "$(dirname "$0")/../.."
build=${WALLE_BUILD:-$PWD/build/fuzz}
kept=$PWD/tests/fuzz/corpus
dictionaries=$PWD/tests/fuzz

targets() {
	for program in "$build"/fuzz/fuzz_*; do
		if [ -x "$program" ]; then basename "$program" | sed 's/^fuzz_//'; fi
	done
}

# one TARGET: a run of $seconds; quiet unless something was found.
one() {
	work=$build/grown/$1 log=$build/found/$1.log options=''
	mkdir -p "$work" "$build/found"
	[ ! -f "$dictionaries/$1.dict" ] || options="-dict=$dictionaries/$1.dict"
	# What the target writes to standard error by itself is not looked at.
	[ "$1" != log ] || options="$options -close_fd_mask=2"
	# shellcheck disable=SC2086 # words on purpose
	if "$build/fuzz/fuzz_$1" $options -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
		-artifact_prefix="$build/found/$1-" "$work" "$kept/$1" >"$log" 2>&1; then
		echo "fuzz_$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, nothing found"
	else
		tail -n 60 "$log"
		echo "fuzz_$1: FOUND SOMETHING; the input is in $build/found/, the whole output is $log"
		return 1
	fi
}

# Of what covers most, an even choice from small to large.
keep() {
	for target in "$@"; do
		[ -d "$build/grown/$target" ] || continue
		merged=$(mktemp -d)
		"$build/fuzz/fuzz_$target" -merge=1 -max_len=4096 "$merged" "$kept/$target" "$build/grown/$target" >/dev/null 2>&1
		every=$((($(find "$merged" -type f | wc -l) + 79) / 80)) number=0
		# shellcheck disable=SC2045 # the names are hashes
		for name in $(ls -Sr "$merged"); do
			number=$((number + 1))
			[ $((number % every)) -ne 0 ] || cp "$merged/$name" "$kept/$target/"
		done
		rm -rf "$merged"
		echo "$target: $(find "$kept/$target" -type f | wc -l) kept"
	done
}

case ${1-} in
--keep)
	shift
	keep "$@"
	exit
	;;
--one)
	seconds=$2
	one "$3"
	exit
	;;
'' | [0-9]*) ;;
*)
	sed -n 2,4p "$0"
	exit 2
	;;
esac
seconds=${1:-20}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || {
	# shellcheck disable=SC2046 # words on purpose
	set -- $(targets)
}
[ $# -gt 0 ] || {
	echo "no fuzz targets in $build: ./walle build fuzz" >&2
	exit 1
}
printf '%s\n' "$@" | xargs -P 2 -n 1 "$PWD/tests/fuzz/run.sh" --one "$seconds"
