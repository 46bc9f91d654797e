# shellcheck shell=bash
# What workflows are given from outside, checked before anything is done with it.
# Sourced by the other scripts. Each function prints nothing if the value is one.

refuse() {
	printf 'cniperf: %s is not %s: %q\n' "$1" "$2" "$3" >&2
	exit 3
}

is_profile() { [[ $2 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || refuse "$1" "the name of a profile" "$2"; }

is_duration() { [[ $2 =~ ^[1-9][0-9]{0,4}[mh]$ ]] || refuse "$1" "a duration such as 280m" "$2"; }

# v1.2.3 and v1.2.3-rc1, HOST/PATH:TAG, HOST/PATH@sha256:DIGEST, or checkout.
is_candidate() {
	local version='^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$'
	local image='^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$'
	[[ $2 == checkout || $2 =~ $version || $2 =~ $image && $2 == *[:@]* ]] || refuse "$1" "a version, an image reference or checkout" "$2"
}

is_release() { [[ $2 =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || refuse "$1" "a version such as v0.1.0" "$2"; }

# The word for an exit code of cniperf.
verdict_of() {
	case $1 in
	0) echo pass ;;
	1) echo fail ;;
	2) echo inconclusive ;;
	130) echo interrupted ;;
	*) echo infrastructure ;;
	esac
}

# One line NAME=VALUE for the steps after this one; a value has no line breaks.
output() { printf '%s=%s\n' "$1" "${2//[$'\r\n']/ }" >>"${GITHUB_OUTPUT:-/dev/null}"; }
