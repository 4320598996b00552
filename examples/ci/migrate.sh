#!/bin/sh
# Runs a migration through hoop, all or nothing, and prints how many rows a table has then. Any CI system can run it:
# hoop finds the job's own token (GitHub Actions), or takes HOOP_TOKEN (GitLab) or HOOP_TOKEN_FILE.
#
# HOOP_AGENT_URL   address of the agent
# HOOP_RUN         what ties the sessions of this run together, e.g. the number of the pipeline
set -eu
connection=${1:?usage: migrate.sh CONNECTION FILE TABLE}
file=${2:?usage: migrate.sh CONNECTION FILE TABLE}
table=${3:?usage: migrate.sh CONNECTION FILE TABLE}
export HOOP_CORRELATION_ID="${HOOP_RUN:-local}"

# Where something is wrong on the way to the agent, the log of the job says which hop, and what to do.
hoop doctor >&2

status=0
hoop exec "$connection" --single-transaction --reason "migration $file" -f "$file" || status=$?
case $status in
  0) ;;
  5) echo "policy forbids this migration; nothing of it was applied" >&2 ;;
  6 | 7) echo "nobody approved this migration; nothing of it was applied" >&2 ;;
  *) echo "the migration failed; nothing of it was applied" >&2 ;;
esac
[ "$status" = 0 ] || exit "$status"

hoop exec "$connection" -o ndjson -i "SELECT count(*)::int AS rows FROM $table"
