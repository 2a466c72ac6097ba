# probe: what read says, with kubelet, kube-proxy and the clock. It comes every half minute for every host, so it forks nothing:
# where each process was last time is remembered, and all of /proc is walked only when it is not there any more.

kubelet_pid='' proxy_pid='' boot_read=-600

do_probe() {
  find_process kubelet "$kubelet_pid"
  kubelet_pid=$pid kubelet=$found
  find_process kube-proxy "$proxy_pid"
  proxy_pid=$pid proxy=$found
  case $kubelet$proxy in
    *null*) sees_all || { refuse HIDDEN '/proc hides the processes of others: hidepid'; return; } ;;
  esac
  read -r uptime _ </proc/uptime
  # A shell reads byte by byte, and this file is long; the time of boot changes only when somebody sets the clock.
  if [ $((${uptime%.*} - boot_read)) -ge 600 ]; then
    while read -r key btime; do [ "$key" != btime ] || break; done </proc/stat
    boot_read=${uptime%.*}
  fi
  do_read '' ",\"processes\":{\"kubelet\":$kubelet,\"kube-proxy\":$proxy},\"btime\":$btime,\"uptime\":$uptime"
}

# find_process NAME PID: sets $pid, and $found to its JSON. PID is where it was last time; empty: unknown. It finds the oldest
# process of that name whose parent bears another one: what the first one starts may bear its name for a moment.
find_process() {
  pid=$2
  { [ -n "$pid" ] && look_at "$pid" "$1"; } || walk_processes "$1"
  found=null
  [ -z "$pid" ] || found="{\"pid\":$pid,\"start\":\"$start\"}"
}

# look_at PID NAME: fails unless that process lives and bears the name. Sets $parent, and $start: clock ticks since boot.
look_at() {
  { IFS= read -r comm <"/proc/$1/comm"; } 2>/dev/null || return
  [ "$comm" = "$2" ] || return
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return
  # A name may hold blanks and parentheses, so the fields are counted from the last one.
  set -- ${line##*) }
  case $1 in Z | X) return 1 ;; esac
  parent=$2 start=${20}
}

walk_processes() {
  named=' ' list=''
  for path in /proc/[0-9]*; do
    if look_at "${path#/proc/}" "$1"; then
      named="$named${path#/proc/} " list="$list ${path#/proc/}:$parent:$start"
    fi
  done
  pid='' first=''
  for one in $list; do
    start=${one##*:} parent=${one#*:}
    case $named in *" ${parent%:*} "*) continue ;; esac
    if [ -z "$first" ] || [ "$start" -lt "$first" ]; then pid=${one%%:*} first=$start; fi
  done
  start=$first
}

# A process that can't be seen is not one that doesn't run.
sees_all() {
  { read -r comm </proc/1/comm; } 2>/dev/null
}
