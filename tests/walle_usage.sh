#!/bin/sh
# tests/walle_usage.sh: what a person can get wrong on the script's command line: one clear line, exit status 2, and nothing done.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0

# refused WORDS COMMAND ...: ends with status 2 and a first line that has these words.
refused() {
	words=$1
	shift
	status=0
	out=$("$@" 2>&1) || status=$?
	case "$status $(printf '%s\n' "$out" | head -n 1)" in
	"2 walle: "*"$words"*) return ;;
	esac
	printf '%s\n    ended with status %s: %s\n' "$*" "$status" "$out"
	bad=1
}

refused "unknown command 'fly'" ./walle fly
refused "unknown option '--fast'" ./walle up --fast
refused "unknown argument 'bot'" ./walle down bot
refused "unknown option '--slow'" ./walle test --slow
refused '--crash-rounds needs a number' ./walle test --crash-rounds
refused "unknown option '--slow'" ./walle bench --slow
refused "unknown option '--all'" ./walle lint --all
refused "no preset 'fast'" ./walle build fast
refused "no package set 'games'" ./walle packages games
refused "cannot read '/no/such.ini'" env WALLE_CONFIG=/no/such.ini ./walle up
exit $bad
