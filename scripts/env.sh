# shellcheck shell=bash
# Sourced by every script here: where the project is, which tools it uses, how it speaks.
#
# `.tools/env`, written by `scripts/setup`, is the one place that decides which Rust is used. Every call of cargo
# goes through a script that sources this file, so that two compilers never fight over `target/`.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS="$ROOT/.tools"
cd "$ROOT"

if [ -f "$TOOLS/env" ]; then
    # shellcheck source=/dev/null
    . "$TOOLS/env"
fi
export PATH="$TOOLS/bin:$ROOT/node_modules/.bin:$PATH"
# scripts and tests look for the program in target/, wherever the user's own builds go
export CARGO_TARGET_DIR="$ROOT/target"

if [ -t 1 ]; then BOLD=$'\e[1m' RED=$'\e[31m' PLAIN=$'\e[0m'; else BOLD='' RED='' PLAIN=''; fi

# say TEXT: one line of progress
say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }

# fail WHAT [WHAT_TO_DO]: what went wrong and what to do about it, and the end
fail() {
    printf '%sfailed:%s %s\n' "$RED" "$PLAIN" "$1" >&2
    [ $# -lt 2 ] || printf 'to mend it: %s\n' "$2" >&2
    exit 1
}
