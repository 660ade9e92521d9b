#!/usr/bin/env bash
# `--bootstrap-server HOST:PORT`: succeeds when the broker knows of a broker that is up.
set -euo pipefail

# shellcheck source=ci/lib/kafka.bash
source /opt/kafka/bin/kafka.bash
[[ $(metadata_answer "${2#*:}") == *" 00 00 00 01" ]]
