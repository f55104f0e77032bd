#!/usr/bin/env bash
# This script makes one run on all hosts of a Cloud TPU slice, which it gets as a queued resource.
# What stands in single quotes is meant for the shells of the workers.
# shellcheck disable=SC2016
set -u

usage() {
  cat <<'END'
launch/tpu_vm.sh [OPTIONS] create|install|status|logs|stop|delete
launch/tpu_vm.sh [OPTIONS] run|restart -- FLAGS OF rethinking_jax.main

  create    asks for the TPU and waits until it is there
  install   copies this checkout (tracked files) to every worker and installs it there
  run       starts the command on every worker; it goes on when you log out
  logs      follows the log of every worker (~/rethinking_jax/run.log there)
  stop      asks the run to save and end
  restart   after a preemption, or any other end: gets the TPU again where it is gone, installs,
            and starts the command, which goes on from its last checkpoint
  status    the state of the request and of the TPU
  delete    gives the TPU back

  --name NAME, --zone ZONE, --project PROJECT, --type TYPE, --version VERSION, --bucket BUCKET
            or the variables NAME (rethinking-jax), ZONE, PROJECT (gcloud's own), TYPE (such as
            v4-32), VERSION (the runtime, such as tpu-ubuntu2204-base), BUCKET
  --spot    or SPOT=1: spot TPUs, cheap and preemptible
  --dry-run prints the commands and runs none
  POLL      variable: seconds between two looks at a request (30)

All hosts need one work directory. With --bucket, install mounts that Cloud Storage bucket on
every worker as ~/bucket, for --workdir='~/bucket/RUN'.

  launch/tpu_vm.sh --zone us-central2-b --type v4-32 --version tpu-ubuntu2204-base --spot create
END
}

refuse() { printf 'tpu_vm.sh: %s\n' "$1" >&2; exit 2; }

name=${NAME:-rethinking-jax} zone=${ZONE-} project=${PROJECT-} type=${TYPE-} version=${VERSION-}
bucket=${BUCKET-} spot=${SPOT-} dry='' subcommand=''
while (($#)); do
  case $1 in
    --name) name=${2-}; shift ;;
    --zone) zone=${2-}; shift ;;
    --project) project=${2-}; shift ;;
    --type) type=${2-}; shift ;;
    --version) version=${2-}; shift ;;
    --bucket) bucket=${2-}; shift ;;
    --spot) spot=1 ;;
    --dry-run) dry=yes ;;
    -h | --help) usage; exit 0 ;;
    --) shift; break ;;
    -*) refuse "$1: not an option of this script; flags of the run go after -- (see -h)" ;;
    *) [[ -z $subcommand ]] || refuse "$1: one subcommand at a time; flags go after --"
      subcommand=$1 ;;
  esac
  shift || refuse "the last option lacks its value"
done
case $subcommand in
  create | install | run | logs | stop | restart | status | delete) ;;
  '') refuse "a subcommand is missing: create, install, run, logs, stop, restart, status, delete" ;;
  *) refuse "$subcommand: no such subcommand (create, install, run, logs, stop, restart, status, delete)" ;;
esac
[[ -n $zone ]] || refuse "--zone is missing, such as --zone us-central2-b"
if [[ $subcommand == create || $subcommand == restart ]]; then
  [[ -n $type ]] || refuse "--type is missing, such as --type v4-32"
  [[ -n $version ]] || refuse "--version is missing, such as --version tpu-ubuntu2204-base"
fi
if (($#)) && [[ $subcommand != run && $subcommand != restart ]]; then
  refuse "$subcommand takes no flags of a run"
fi
where=(--zone="$zone")
[[ -z $project ]] || where+=(--project="$project")

# This function prints a command, and runs it unless this is a dry run.
run() {
  local words
  printf -v words '%q ' "$@"
  printf '+ %s\n' "${words% }" >&2
  [[ -n $dry ]] || "$@"
}

queued() { run gcloud compute tpus queued-resources "$1" "$name" "${where[@]}" "${@:2}"; }
on_all() {
  run gcloud compute tpus tpu-vm ssh "$name" "${where[@]}" --worker=all --command="$1"
}
state() { queued describe --format='value(state.state)' 2>/dev/null; }

create() {
  local options=(--node-id="$name" --accelerator-type="$type" --runtime-version="$version")
  [[ -z $spot ]] || options+=(--spot)
  queued create "${options[@]}" || return
  local now
  while true; do
    now=$(queued describe --format='value(state.state)') || return
    [[ -z $dry ]] || return 0
    case $now in
      ACTIVE) return 0 ;;
      FAILED | SUSPENDED | SUSPENDING)
        printf 'tpu_vm.sh: the request for %s is %s: delete it and create it again\n' \
          "$name" "$now" >&2
        return 1 ;;
    esac
    printf 'tpu_vm.sh: %s is %s\n' "$name" "${now:-not known yet}" >&2
    sleep "${POLL:-30}"
  done
}

install() {
  local root archive steps
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || return
  archive=${TMPDIR:-/tmp}/rethinking_jax-$$.tar.gz
  run bash -c 'cd "$1" && git ls-files -z | tar --null --files-from=- -czf "$2"' bash \
    "$root" "$archive" || return
  run gcloud compute tpus tpu-vm scp "$archive" "$name:rethinking_jax.tar.gz" "${where[@]}" \
    --worker=all || return
  run rm -f "$archive"
  # The images come with Python 3.10; uv brings a newer one along.
  steps='set -e; mkdir -p rethinking_jax; tar -xzf rethinking_jax.tar.gz -C rethinking_jax
cd rethinking_jax; python3 -m pip install --quiet --user uv
[ -d .venv ] || python3 -m uv venv --python 3.11 .venv
python3 -m uv pip install --quiet --python .venv/bin/python --constraint constraints.txt ".[tpu]"'
  on_all "$steps" || return
  [[ -z $bucket ]] || mount_bucket
}

mount_bucket() {
  local steps
  # Checkpoints are committed by renaming a folder, and the limit must allow that.
  printf -v steps 'set -e; mountpoint -q ~/bucket && exit 0
if ! command -v gcsfuse >/dev/null; then
key=/usr/share/keyrings/cloud.google.asc; url=https://packages.cloud.google.com/apt
curl -fsSL $url/doc/apt-key.gpg | sudo tee $key >/dev/null
echo "deb [signed-by=$key] $url gcsfuse-$(lsb_release -c -s) main" |
sudo tee /etc/apt/sources.list.d/gcsfuse.list >/dev/null
sudo apt-get update -qq; sudo apt-get install -y -qq gcsfuse
fi
mkdir -p ~/bucket; gcsfuse --implicit-dirs --rename-dir-limit=100000 %q ~/bucket' "$bucket"
  on_all "$steps"
}

start() {
  local words='' remote
  (($# == 0)) || printf -v words ' %q' "$@"
  remote="cd rethinking_jax || exit
if [ -f run.pid ] && kill -0 \$(cat run.pid) 2>/dev/null; then
echo \"a run is going on here: stop it first\" >&2; exit 1; fi
nohup .venv/bin/python -m rethinking_jax.main$words >>run.log 2>&1 </dev/null &
echo \$! >run.pid"
  on_all "$remote"
}

restart() {
  local now=''
  [[ -n $dry ]] || now=$(state)
  if [[ $now != ACTIVE ]]; then
    if [[ -n $now || -n $dry ]]; then queued delete --force --quiet || return; fi
    create || return
  fi
  install && start "$@"
}

case $subcommand in
  create) create ;;
  install) install ;;
  run) start "$@" ;;
  restart) restart "$@" ;;
  # Prefixes tell the workers apart; gcloud adds none.
  logs) on_all 'tail -n 100 -F rethinking_jax/run.log | sed -u "s/^/[$(hostname)] /"' ;;
  stop) on_all 'kill -TERM $(cat rethinking_jax/run.pid)' ;;
  status)
    queued describe --format='value(state.state)'
    run gcloud compute tpus tpu-vm describe "$name" "${where[@]}" --format='value(state,health)' ;;
  delete) queued delete --force --quiet ;;
esac
