#!/usr/bin/env bash
# This script starts several processes of one run on this machine.
set -u

usage() {
  cat <<'END'
launch/local.sh -n N [--devices K] [--grace SECONDS] [--dry-run] -- FLAGS OF rethinking_jax.main

Starts N processes that make one run together, each line of theirs with its number in front.

  -n N             how many processes
  --devices K      K fake CPU devices for each of them; without it they share what is here
                   (JAX_LOCAL_DEVICE_IDS or CUDA_VISIBLE_DEVICES limits it)
  --grace SECONDS  when one fails, how long the others may take to end (30)
  --dry-run        prints the commands and starts nothing
  RUN              variable: the program, words between blanks (python -m rethinking_jax.main)

SIGTERM and Ctrl-C go to all processes, which save and end; a second one ends them at once.
Where this script is killed, they save and end as after SIGTERM.
Exit code: 0, or that of the process that failed first.

  launch/local.sh -n 2 --devices 2 -- --config=configs/quickstart.py --workdir=runs/two
END
}

refuse() { printf 'local.sh: %s\n' "$1" >&2; exit 2; }

number='' devices='' grace=30 dry=''
while (($#)); do
  case $1 in
    -n) number=${2-}; shift ;;
    --devices) devices=${2-}; shift ;;
    --grace) grace=${2-}; shift ;;
    --dry-run) dry=yes ;;
    -h | --help) usage; exit 0 ;;
    --) shift; break ;;
    *) refuse "$1: not an option of this script; flags of the run go after -- (see -h)" ;;
  esac
  shift || refuse "the last option lacks its value"
done
whole='^[1-9][0-9]*$'
[[ $number =~ $whole ]] || refuse "-n $number: expected the number of processes, such as -n 2"
[[ -z $devices || $devices =~ $whole ]] || refuse "--devices $devices: expected a whole number"
[[ $grace =~ ^[0-9]+$ ]] || refuse "--grace $grace: expected seconds"
read -ra program <<<"${RUN:-python -m rethinking_jax.main}"

port=$(python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])') || refuse "needs python3"
common=(JAX_COORDINATOR_ADDRESS="127.0.0.1:$port" JAX_NUM_PROCESSES="$number")
if [[ -n $devices ]]; then
  fake=--xla_force_host_platform_device_count=$devices
  common+=(JAX_PLATFORMS=cpu XLA_FLAGS="${XLA_FLAGS:+$XLA_FLAGS }$fake")
fi
if [[ -n $dry ]]; then
  for ((i = 0; i < number; i++)); do
    printf '%q ' env "${common[@]}" "JAX_PROCESS_ID=$i" "${program[@]}" "$@"
    echo
  done
  exit 0
fi

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
prefix() {
  local line
  while IFS= read -r line || [[ -n $line ]]; do printf '[%s] %s\n' "$1" "$line"; done
}

pids=() readers=()
send() {
  for ((j = 0; j < ${#pids[@]}; j++)); do
    [[ -z ${pids[j]} ]] || kill -s "$1" "${pids[j]}" 2>/dev/null
  done
}
signals=0
# shellcheck disable=SC2329 # the traps below call it
on_signal() {
  if ((signals++)); then send KILL; else send "$1"; fi
}
# The readers ignore both signals, because they must see the last lines of their processes.
trap '' INT TERM
for ((i = 0; i < number; i++)); do
  mkfifo "$folder/out$i" "$folder/err$i" || exit 1
  prefix "$i" <"$folder/out$i" & readers+=("$!")
  prefix "$i" <"$folder/err$i" >&2 & readers+=("$!")
done
trap 'on_signal TERM' TERM
trap 'on_signal INT' INT
# Job control gives each process a group of its own. So Ctrl-C in the terminal reaches each of
# them once, through the trap above, and is not ignored as it is in plain background jobs.
set -m
for ((i = 0; i < number; i++)); do
  env "${common[@]}" "JAX_PROCESS_ID=$i" "${program[@]}" "$@" \
    >"$folder/out$i" 2>"$folder/err$i" &
  pids+=("$!")
done
# Nothing traps kill -9: when the only shell that could write to this pipe is gone, the one that
# reads it stops the processes in its place.
mkfifo "$folder/alive" || exit 1
exec 9<>"$folder/alive"
{
  exec 8<"$folder/alive" 9>&-
  if ! read -r _ <&8; then
    send TERM
    sleep "$grace"
    send KILL
    rm -rf "$folder"
  fi
} >/dev/null 2>&1 &
set +m

code=0 left=$number deadline=''
while ((left)); do
  for ((i = 0; i < number; i++)); do
    pid=${pids[i]}
    if [[ -z $pid ]] || kill -0 "$pid" 2>/dev/null; then continue; fi
    wait "$pid"
    ended=$?
    pids[i]='' left=$((left - 1))
    ((ended == 0 || code)) && continue
    code=$ended
    ((left && !signals)) || continue
    printf 'local.sh: process %s ended with code %s; the others get %s s to end\n' \
      "$i" "$ended" "$grace" >&2
    send TERM
    deadline=$((SECONDS + grace))
  done
  if [[ -n $deadline ]] && ((SECONDS >= deadline)); then send KILL; fi
  ((left)) && sleep 0.2
done
wait "${readers[@]}"
echo ended >&9
exit "$code"
