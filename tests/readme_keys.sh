#!/bin/sh
# tests/readme_keys.sh: every key of shared/base/settings.c stands in the README.
set -u
cd "$(dirname "$0")/.." || exit 1
keys=$(sed -n 's/^\t[A-Z]*("[a-z_]*", "\([A-Za-z_]*\)", .*/\1/p' shared/base/settings.c)
bad=0
[ "$(echo "$keys" | wc -w)" -gt 40 ] || bad=1
for key in $keys; do
	grep -q "\`$key\`" README.md || {
		echo "README.md, Configuration: $key is missing"
		bad=1
	}
done
exit $bad
