#!/usr/bin/env bash
# Makes a slow machine of any: N busy loops per core, at normal priority, beside a
# command. One halves the machine, two leave a third of it. The loops end with the
# command, also when this script is interrupted or killed, and nothing else does.
# usage: hack/slow-machine.sh N COMMAND [ARGUMENT...]     ends with the command's exit code
set -euo pipefail

loops=${1:-}
[[ $loops =~ ^[0-9]{1,2}$ && $# -ge 2 ]] || { echo "usage: hack/slow-machine.sh N COMMAND [ARGUMENT...], N busy loops per core" >&2; exit 2; }
shift

pids=()
command=
# By their process ids, which are unique as long as this shell, their parent, has
# not waited for them.
# shellcheck disable=SC2317 # a trap calls it
end() {
	trap - EXIT
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
	wait "${pids[@]}" 2>/dev/null || true
}
trap end EXIT
# The command decides what a signal means; this script waits for it.
for signal in INT TERM HUP; do
	# shellcheck disable=SC2064
	trap "[ -z \"\$command\" ] || kill -$signal \"\$command\" 2>/dev/null || true" "$signal"
done

self=$$
for ((i = 0; i < loops * $(nproc); i++)); do
	# A loop looks for its parent now and then: SIGKILL runs no trap.
	(
		trap - EXIT INT TERM HUP
		while kill -0 "$self" 2>/dev/null; do for ((n = 0; n < 200000; n++)); do :; done; done
	) </dev/null >/dev/null 2>&1 &
	pids+=($!)
done
echo "slow-machine: ${#pids[@]} busy loops on $(nproc) cores beside: $*" >&2

# In the background, since a trap waits for what is in the foreground; with the
# terminal's input, which the shell takes from jobs in the background.
"$@" <&0 &
command=$!
code=0
while :; do
	code=0
	wait "$command" || code=$?
	kill -0 "$command" 2>/dev/null || break # else a signal ended the waiting only
done
exit "$code"
