#!/bin/sh
# tests/containers/run.sh [--available]: builds the images and runs the three services against a local Discord in a fourth container: sizes, rights,
# health, XP, one service killed and restarted alone, refusal, clean stop, data kept. Uses the Docker that runs here, else ../shared/tools/with-docker.
# --available: status 0 when one of them is there.
set -eu
cd "$(dirname "$0")/../.."
helper=../shared/tools/with-docker
limit_mib=60

have_docker() { docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }
have_helper() { [ -x "$helper" ] && [ "$(id -u)" = 0 ]; }

if [ "${1-}" = --available ]; then
	have_docker || have_helper
	exit
fi
if ! have_docker; then
	have_helper || {
		echo 'skipped: no Docker with Compose v2 runs here'
		exit 0
	}
	[ "${1-}" != --inside ] || {
		echo 'the engine that was started does not answer' >&2
		exit 1
	}
	exec "$helper" "$0" --inside
fi

began=$(date +%s)
work=$(mktemp -d)
WALLE_TEST_TOKEN=$work/token
export WALLE_TEST_TOKEN
printf a.token.of-the-container-test >"$WALLE_TEST_TOKEN"
chmod 644 "$WALLE_TEST_TOKEN"
compose() { docker compose -p walle-test --progress quiet -f compose.yaml -f tests/containers/compose.yaml "$@"; }
say() { printf '[%3ds] %s\n' $(($(date +%s) - began)) "$*"; }
fail() {
	say "FAILED: $*"
	compose ps -a >&2 || :
	compose logs --tail 15 >&2 || :
	exit 1
}
clean_up() {
	status=$?
	trap - EXIT
	compose down -v --rmi local -t 5 >/dev/null 2>&1 || :
	rm -rf "$work"
	exit $status
}
trap clean_up EXIT
trap 'exit 143' INT TERM

# until SECONDS COMMAND ...: tries again until it succeeds.
until_ok() {
	deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $deadline ] || return 1
		sleep 0.2
	done
}
container() { compose ps -aq "$1"; }
inspect() { docker inspect -f "$2" "$(container "$1")"; }
address() { compose port "$1" "$2"; }
act() { curl -fsS --max-time 5 -H 'Content-Type: application/json' -d "$2" "http://$(address discord 8090)/_control/$1"; }
say_as() { act say "{\"user\":\"$1\",\"channel\":\"general\",\"content\":\"hello $2\"}" >/dev/null; }
speak() {
	i=0
	while [ $i -lt "$2" ]; do
		i=$((i + 1))
		say_as "$1" "$i" || fail "the local Discord takes no message of $1"
	done
}
# Of the first in the list; only one member speaks in this test.
points() { curl -fsS --max-time 5 "http://$(address leveling_api 8000)/user_points/?format=json" | sed -n 's/.*"points":\([0-9]*\).*/\1/p'; }
has_points() { [ "$(points)" = "$1" ]; }
# As the README says it: in a container of its own, with the volume.
db() { compose run --rm -T --no-deps --entrypoint walle-db leveling_api "$@"; }
is_healthy() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = healthy ]; }
is_unhealthy() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = unhealthy ]; }
services='bot member_listener leveling_api'

say 'building'
compose build >"$work/build.log" 2>&1 || {
	tail -n 40 "$work/build.log"
	fail 'the images do not build'
}
say "built in $(($(date +%s) - began)) s"

# An engine that builds with BuildKit does not list the base among its images.
docker image inspect debian:bookworm-slim >/dev/null 2>&1 || docker pull -q debian:bookworm-slim >/dev/null
base=$(docker image inspect -f '{{.Size}}' debian:bookworm-slim)
for service in $services; do
	size=$(docker image inspect -f '{{.Size}}' "walle-test/$service")
	above=$(((size - base) / 1048576))
	say "image $service: $above MiB above its base"
	[ $above -le $limit_mib ] || fail "the image of $service is larger than $limit_mib MiB above its base"
	docker run --rm --network none --entrypoint sh "walle-test/$service" -c 'command -v gcc cc ld make' && fail "$service has a compiler"
done

started=$(date +%s)
compose up -d --no-build >/dev/null 2>&1 || fail 'the containers do not start'
for service in $services; do until_ok 60 is_healthy "$service" || fail "$service is not healthy"; done
say "healthy after $(($(date +%s) - started)) s"

for service in $services; do
	[ "$(compose exec -T "$service" id -u)" = 10001 ] || fail "$service runs as the wrong user"
	compose exec -T "$service" sh -c 'touch /usr/x || touch /x' 2>/dev/null && fail "$service can write to its root"
	compose exec -T "$service" touch /data/probe || fail "$service cannot write to the volume"
	capabilities=$(compose exec -T "$service" sed -n 's/^CapBnd:\t*//p' /proc/1/status)
	[ "$capabilities" = 0000000000000000 ] || fail "$service has capabilities: $capabilities"
	[ "$(compose exec -T "$service" sed -n 's/^NoNewPrivs:\t*//p' /proc/1/status)" = 1 ] || fail "$service can gain privileges"
	memory=$(docker stats --no-stream --format '{{.MemUsage}}' "$(container "$service")")
	say "$service: uid 10001, read-only root, no capabilities, memory $memory"
done

speak alice 10
until_ok 10 has_points 200 || fail "10 messages of 20 points made $(points)"
say '10 messages, 200 points in the API'

docker kill "$(container bot)" >/dev/null
speak alice 5
[ "$(inspect leveling_api '{{.State.Running}}')" = true ] || fail 'another service went down with the bot'
has_points 200 || fail 'the API does not answer without the bot'
compose up -d --no-build --no-deps bot >/dev/null 2>&1
until_ok 20 has_points 300 || fail "after the bot was killed and started again, 15 messages made $(points) points"
say 'bot killed, 5 messages while it was away, started alone: 300 points'

# A crash, as the restart policy sees it.
# shellcheck disable=SC2016 # for the shell in the container
compose exec -T bot sh -c 'for p in /proc/[0-9]*; do read -r name <$p/comm; [ "$name" != walle-bot ] || kill -9 ${p#/proc/}; done'
speak alice 5
until_ok 30 has_points 400 || fail "after a crash, 20 messages made $(points) points"
[ "$(inspect bot '{{.RestartCount}}')" = 1 ] || fail 'the bot was not restarted by its policy'
say 'bot crashed, restarted by its policy: 400 points'
until_ok 30 is_healthy bot || fail 'the bot is not healthy after its restart'

compose exec -T leveling_api walle-db backup /data/backup >/dev/null || fail 'no backup beside the running services'
db restore /data/backup >/dev/null 2>&1 && fail 'a backup was restored under running services'
db nonsense >/dev/null 2>&1 && fail 'walle-db took a command that does not exist'

stopping=$(date +%s)
compose stop >/dev/null 2>&1
took=$(($(date +%s) - stopping))
[ $took -le 10 ] || fail "stopping took $took s"
for service in $services; do
	status=$(inspect "$service" '{{.State.ExitCode}}')
	[ "$status" = 0 ] || fail "$service ended with status $status when it was stopped"
done
say "stopped within $took s, every status 0"
db restore /data/backup >/dev/null || fail 'the backup cannot be restored'
say 'backup made beside the services, restored without them'

compose down >/dev/null 2>&1
compose up -d --no-build >/dev/null 2>&1 || fail 'the containers do not start again'
until_ok 30 has_points 400 || fail 'the data was not kept over down and up'
# The local Discord has a new address: the stored session's one is tried in vain first.
for service in $services; do until_ok 120 is_healthy "$service" || fail "$service is not healthy after down and up"; done
say 'down and up: 400 points'

act revoke_token '{}' >/dev/null
act gateway '{"do":"close","code":4004}' >/dev/null
refused() { compose logs bot 2>&1 | grep -q 'a restart cannot help'; }
until_ok 20 refused || fail 'the bot did not say that Discord refuses it'
until_ok 30 is_unhealthy bot || fail 'a refused bot is not unhealthy'
[ "$(inspect bot '{{.RestartCount}}')" = 0 ] || fail 'a refused bot was restarted'
[ "$(compose logs bot 2>&1 | grep -c 'a restart cannot help')" = 1 ] || fail 'a refused bot was started again'
stopping=$(date +%s)
compose stop bot >/dev/null 2>&1
[ $(($(date +%s) - stopping)) -le 5 ] || fail 'a refused bot does not stop at once'
[ "$(inspect bot '{{.State.ExitCode}}')" = 3 ] || fail "a refused bot's status is $(inspect bot '{{.State.ExitCode}}')"
say 'refused by Discord: not restarted, status 3'
if compose logs 2>&1 | grep -q 'of-the-container-test'; then fail 'the token is in a log'; fi
say 'containers: all is well'
