# service: starts, stops or restarts kubelet or kube-proxy by systemd; then looks again. logs: what they wrote last.

do_service() {
  field fence; fence=$value
  field action; action=$value
  field stayS; stay=$value
  case $fence in '' | *[!0-9]* | ????????????????*) refuse PARAMS 'no fence'; return ;; esac
  case $action in start | stop | restart) ;; *) refuse PARAMS 'start, stop or restart'; return ;; esac
  case $stay in '' | *[!0-9]* | ???*) refuse PARAMS 'stayS is a number'; return ;; esac
  take_component && has_unit && rights_to "service $action $component" "systemctl $action $unit" && pass_fence "$fence" || return
  find_process "$component" ''
  before=$found tries=0 most=$((stay + 10)) last='' same=0
  # What it says is for the audit. Its exit code decides only whether there is anything to wait for.
  $run </dev/null >&3 2>&1 || { if is_as_asked; then most=$stay; else most=0; fi; }
  until is_as_asked && has_stayed; do
    [ "$tries" -lt "$most" ] || { refuse_service; return; }
    tries=$((tries + 1))
    sleep 1
  done
  do_probe
}

# What ends is started anew by systemd: it has to be the same for so many seconds.
has_stayed() {
  [ "$action" != stop ] || return 0
  if [ "$found" = "$last" ]; then same=$((same + 1)); else last=$found same=0; fi
  [ "$same" -ge "$stay" ]
}

# Of one that comes and goes, its last words go along: in ASCII, and without what JSON would have escaped.
refuse_service() {
  case $action-$found in
    stop-* | restart-"$before") [ "$found" = null ] || { refuse SERVICE "systemctl $action $unit did not do it"; return; } ;;
  esac
  lines=4
  fetch_log
  words=$(printf '%s' "$log" | base64 -d | tr '"\\\t' "'/ " | tr -cd ' -~\n' | while IFS= read -r line; do printf '%s / ' "$line"; done)
  words=${words% / }
  printf '@@R@@ %s 1\n{"ok":false,"code":"SERVICE","error":"%s does not stay up; %s"}\n' "$id" "$component" "${words:+its last words: }${words:-it says nothing}" >&3
}

# Sets $component and $unit from the request, or refuses it.
take_component() {
  field component
  case $value in
    kubelet | kube-proxy) component=$value unit=$value.service ;;
    *) refuse PARAMS 'kubelet or kube-proxy'; return 1 ;;
  esac
}

has_unit() {
  command -v systemctl >/dev/null || { refuse NO-SYSTEMD 'no systemctl on this host'; return 1; }
  case $(systemctl show -p LoadState "$unit" </dev/null 2>&3) in
    LoadState=not-found) refuse NO-SERVICE "there is no $unit"; return 1 ;;
    LoadState=*) ;;
    *) refuse NO-SYSTEMD 'systemd does not run this host'; return 1 ;;
  esac
}

is_as_asked() {
  find_process "$component" ''
  case $action in
    stop) [ "$found" = null ] ;;
    start) [ "$found" != null ] ;;
    restart) [ "$found" != null ] && [ "$found" != "$before" ] ;;
  esac
}

do_logs() {
  field lines; lines=$value
  case $lines in '' | *[!0-9]* | ????* | 0*) refuse PARAMS 'lines is a number'; return ;; esac
  take_component || return
  command -v journalctl >/dev/null || { refuse NO-SYSTEMD 'no journalctl on this host'; return; }
  fetch_log
  [ -n "$log" ] || { refuse NO-LOG "the journal has nothing of $unit"; return; }
  printf '@@R@@ %s 1\n{"ok":true,"log":"%s"}\n' "$id" "$log" >&3
}

# Sets $log to base64 of the last $lines; empty where there is none.
fetch_log() {
  words="journalctl -u $unit -n 200 --no-pager -o short-iso"
  read_journal "$words"
  # Without the right to it, a journal is refused or looks empty.
  if [ -z "$log" ] && find_way "logs $component" "$words"; then read_journal "$run"; fi
}

# Sets $log to base64. Lines that begin with -- are journalctl's own words.
read_journal() {
  log=$($1 </dev/null 2>&3 | grep -v '^-- ' | tail -n "$lines" | tail -c 65536 | base64 | tr -d '\n')
}
