#!/bin/sh
# tests/documents.sh: what the documents claim can be looked up: every key of shared/base/settings.c stands in the README, and every test that
# tests/integration/README.md names for a failure case exists.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
wrong() {
	echo "$*"
	bad=1
}

keys=$(sed -n 's/^\t[A-Z]*("[a-z_]*", "\([A-Za-z_]*\)", .*/\1/p' shared/base/settings.c)
[ "$(echo "$keys" | wc -w)" -gt 40 ] || wrong 'shared/base/settings.c: its table of keys is not understood'
for key in $keys; do
	grep -q "\`$key\`" README.md || wrong "README.md, Configuration: $key is missing"
done

cases=tests/integration/README.md
[ "$(grep -c '^| [0-9]' $cases)" = 20 ] || wrong "$cases: not 20 cases"
# Between two semicolons: `file`: names, or `file` alone.
problems=$(awk -F '|' '/^\| [0-9]/ { print $5 }' $cases | tr ';' '\n' | while read -r claim; do
	file=''
	for word in $(echo "$claim" | grep -oE '[a-z0-9_]+/[a-z0-9_]+|[a-z0-9]+(_[a-z0-9]+)+'); do
		for at in "tests/$word.c" "tests/integration/$word.c" "tests/fuzz/$word.c" "tests/$word.sh"; do
			[ ! -e "$at" ] || file="$file $at"
		done
		case $file in
		*/"${word##*/}".*) continue ;;
		esac
		# shellcheck disable=SC2086 # words on purpose
		[ -n "$file" ] && grep -q "$word" $file || echo "$cases: there is no $word in${file:- any file}"
	done
done)
[ -z "$problems" ] || wrong "$problems"
exit $bad
