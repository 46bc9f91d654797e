#!/usr/bin/env bash
# Ends as the job should: CODE is the exit code of cniperf. A run that can't tell
# warns, and one that broke fails as infrastructure, which is no regression.
# usage: hack/ci/gate.sh CODE
set -euo pipefail
# shellcheck source=hack/ci/inputs.sh
. "$(dirname "$0")/inputs.sh"

code=${1:-}
[[ $code =~ ^[0-9]{1,3}$ ]] || refuse CODE "an exit code" "$code"
case $(verdict_of "$code") in
pass) ;;
fail)
	echo "::error title=Slower::a claim was refuted twice, on fresh pods"
	exit 1
	;;
inconclusive) echo "::warning title=Inconclusive::this run can't tell; nothing is claimed" ;;
interrupted)
	echo "::error title=Interrupted::somebody ended the run"
	exit 130
	;;
*)
	echo "::error title=Infrastructure::the run broke; that says nothing about any datapath"
	exit 3
	;;
esac
