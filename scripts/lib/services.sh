# Starts processes, watches them, stops them in reverse order. Sourced after common.sh.
# Every process is a child of this shell and gets a signal when this shell dies, however it dies.

# Logs are files: no colours.
export NO_COLOR=1
service_names=()
declare -A service_pid service_log service_signal

# start_service NAME LOG SIGNAL COMMAND...: runs it beside; SIGNAL is what asks it to stop.
start_service() {
  local name=$1 log=$2 signal=$3
  shift 3
  # Its own session: Ctrl-C reaches this shell only, which stops the parts in order. The lock's descriptor stays here.
  setsid setpriv --pdeathsig "$signal" "$@" >>"$log" 2>&1 </dev/null 8>&- 9>&- &
  service_pid[$name]=$!
  service_log[$name]=$log
  service_signal[$name]=$signal
  service_names+=("$name")
}

# service_runs NAME
service_runs() { kill -0 "${service_pid[$1]}" 2>/dev/null; }

# await_service NAME SECONDS COMMAND...: until the command succeeds; dies when the process ends or time is up.
await_service() {
  local name=$1 deadline=$((SECONDS + $2))
  shift 2
  until "$@"; do
    service_runs "$name" || { show_log "$name"; die "$name did not start"; }
    [ "$SECONDS" -lt "$deadline" ] || { show_log "$name"; die "$name does not answer"; }
    sleep 0.1
  done
}

show_log() {
  say "the last lines of ${service_log[$1]}:"
  tail -n 20 "${service_log[$1]}" | sed 's/^/  | /' >&2
}

# ended_service: prints the name of a service that has ended, if one has.
ended_service() {
  local name
  for name in "${service_names[@]}"; do
    service_runs "$name" || { echo "$name"; return; }
  done
}

# stop_last_service: it is given time to end by itself.
stop_last_service() {
  local name=${service_names[-1]} pid deadline=$((SECONDS + 40))
  pid=${service_pid[$name]}
  unset 'service_names[-1]'
  kill -s "${service_signal[$name]}" "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.05; done
  if kill -0 "$pid" 2>/dev/null; then
    say "$name does not stop; killing it"
    kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
  fi
  wait "$pid" 2>/dev/null || true
}

# stop_services: in reverse order.
stop_services() {
  while [ "${#service_names[@]}" -gt 0 ]; do stop_last_service; done
}
