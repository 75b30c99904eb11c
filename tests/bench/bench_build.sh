#!/bin/sh
# How long a clean release build takes on two processors, and how large the stripped programs are. The baseline is gcc alone: the same source files
# compiled one by one without optimisation, on the same two processors; what is above it is optimisation, link-time optimisation and linking.
#
# ccache is kept out. The quick form builds the listener alone.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
json=no quick=no
for argument in "$@"; do
	case $argument in
	--json) json=yes ;;
	--quick) quick=yes ;;
	*)
		echo 'usage: bench_build.sh [--json] [--quick]' >&2
		exit 2
		;;
	esac
done
directory=$(mktemp -d "${TMPDIR:-/var/tmp}/walle-bench-build-XXXXXX")
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT TERM
export CCACHE_DISABLE=1
unset CMAKE_C_COMPILER_LAUNCHER || :

now() { date +%s%N; }
# seconds FROM: since then, with one digit.
seconds() { echo "$(($(now) - $1))" | awk '{ printf "%.1f", $1 / 1e9 }'; }
# Two processors of those that there are.
if command -v taskset >/dev/null && [ "$(nproc)" -gt 2 ]; then two='taskset -c 0,1'; else two=''; fi

programs='walle-bot walle-member-listener walle-leveling-api walle-db'
targets=$programs
[ $quick = no ] || targets=walle-member-listener

began=$(now)
# shellcheck disable=SC2086 # words on purpose
if ! { cd "$root" && $two cmake --preset release -B "$directory/build" -DWALLE_PLAYGROUND=OFF &&
	$two cmake --build "$directory/build" -j 2 --target $targets; } >"$directory/log" 2>&1; then
	tail -n 30 "$directory/log" >&2
	exit 1
fi
built=$(seconds "$began")

# What went into these programs, as the build wrote it down.
# shellcheck disable=SC2086
(cd "$directory/build" && ninja -t commands $targets) | grep -o -- '-c [^ ]*\.c$' | cut -c 4- | sort -u >"$directory/sources"
lines=$(xargs cat <"$directory/sources" | wc -l)
sed -n 's/.*"command": "//p' "$directory/build/compile_commands.json" >"$directory/commands"
while read -r source; do
	grep -F -- "-c $source" "$directory/commands" | head -n 1
done <"$directory/sources" | sed 's/",$//; s/\\"/"/g; s/\\\\/\\/g; s/ -O3//; s/ -flto[^ ]*//g; s/ -fno-fat-lto-objects//; s/ -D_FORTIFY_SOURCE=3//
	s/ -o [^ ]*/ -O0 -o \/dev\/null/; s/ -Werror / /' >"$directory/plain"
began=$(now)
# shellcheck disable=SC2086
(cd "$directory/build" && $two xargs -P 2 -d '\n' -n 1 sh -c <"$directory/plain") >"$directory/log" 2>&1 || {
	tail -n 5 "$directory/log" >&2
	exit 1
}
plain=$(seconds "$began")

verdict='not judged' met=null
if [ $quick = no ]; then
	if awk "BEGIN { exit !($built <= 60) }"; then verdict=met met=true; else verdict='NOT MET' met=false; fi
fi
ratio=$(awk "BEGIN { printf \"%.2f\", $built / $plain }")
sizes=''
for program in $targets; do
	strip -o "$directory/stripped" "$directory/build/bin/$program"
	sizes="$sizes $program:$(wc -c <"$directory/stripped" | tr -d ' ')"
done

if [ $json = yes ]; then
	printf '{"benchmark":"build","about":"a clean release build on two processors","quick":%s,"processors":%s,"rows":[' \
		"$([ $quick = yes ] && echo true || echo false)" "$(nproc)"
	printf '{"what":"clean release build","unit":"s","figure":%s,"baseline":%s,"baseline_is":"gcc -O0 on the same sources","ratio":%s,' \
		"$built" "$plain" "$ratio"
	printf '"target_kind":"at most","target":60,"met":%s}' "$met"
	for entry in $sizes; do
		printf ',{"what":"size of %s, stripped","unit":"bytes","figure":%s}' "${entry%:*}" "${entry#*:}"
	done
	printf '],"notes":["%s lines of C"]}\n' "$lines"
else
	echo
	echo "build: a clean release build on two processors$([ $quick = no ] || echo ' (quick form)')"
	echo
	printf '%-50s %12s %12s %8s  %-14s\n' '' figure baseline ratio target
	printf '%-50s %12s %12s %8s  %-14s %s\n' 'clean release build, s' "$built" "$plain" "$ratio" '<= 60' "$verdict"
	echo '    baseline: gcc -O0 on the same sources, without linking'
	for entry in $sizes; do
		printf '%-50s %12s\n' "size of ${entry%:*}, stripped, KiB" "$((${entry#*:} / 1024))"
	done
	echo
	echo "  $lines lines of C"
fi
[ "$met" != false ]
