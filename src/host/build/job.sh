# build: starts the job of that id, or joins it, and tells how far it is. It runs in a session of its own, so that a connection that is
# cut, or a worker that dies, is nothing to it. There is one at a time: another one waits, but for an earlier run of its own change, which
# was given up and is ended.

do_build() {
  take_job || { refuse PARAMS "no such $wrong"; return; }
  job=$dir/job
  mkdir -p "$dir" 2>&3
  if [ -h "$dir" ] || [ ! -O "$dir" ]; then refuse DIR "$dir is not mine"; return; fi
  pass_job_fence || return
  job_id='' job_pid='' job_start='' job_boot=''
  read_job
  if [ "$cancel" = yes ]; then cancel_job; return; fi
  if [ "$job_id" = "$wanted" ]; then follow; return; fi
  if is_made; then tell_over 0 true; return; fi
  if leader_lives && ! same_change; then tell '"over":false,"waits":true'; return; fi
  end_members && start_job && follow
}

take_job() {
  field id; wanted=$value
  field commit; commit=$value
  field by; by=$value
  field from; from=$value
  field waitS; wait=$value
  field fence; fence=$value
  field cancel; cancel=$value
  wrong=id
  case $wanted in '' | *[!a-z0-9-]*) return 1 ;; esac
  wrong=commit
  case $commit in *[!0-9a-f]*) return 1 ;; ????????????????????????????????????????) ;; *) return 1 ;; esac
  wrong=number
  case $by in make | go) ;; *) return 1 ;; esac
  for number in "$from" "$wait" "$fence"; do
    case $number in '' | *[!0-9]* | ????????????????*) return 1 ;; esac
  done
}

# Remembers the highest fencing token seen here, and refuses a lower one.
pass_job_fence() {
  seen=0
  { read -r seen <"$dir/fence"; } 2>/dev/null
  case $seen in '' | *[!0-9]*) seen=0 ;; esac
  if [ "$fence" -lt "$seen" ]; then refuse FENCED "token $fence is older than $seen"; return 1; fi
  [ "$fence" -eq "$seen" ] || echo "$fence" >"$dir/fence"
}

start_job() {
  rm -rf "$job"
  mkdir "$job" 2>&3 || { refuse DIR "can not write to $dir"; return 1; }
  FAIRWAY_JOB=$wanted setsid /bin/sh -c "$compile" fairway-build \
    "$job" "$wanted" "$dir" "$component" "$version" "$commit" "$source" "$by" </dev/null >"$job/log" 2>&1 3>&- &
  tries=0
  until read_job; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { refuse START 'the build did not start: it takes setsid and flock'; return 1; }
    sleep 0.1
  done
}

# The job says itself who it is, once it is there: one that was to be started when the connection broke has left nothing.
read_job() {
  { read -r job_id job_pid job_start job_boot <"$job/pid"; } 2>/dev/null
}

# Waits for news of the job, at most as long as was asked for, and tells them.
follow() {
  waited=0
  until { read -r code <"$job/exit"; } 2>/dev/null; do
    if ! leader_lives; then
      # It may have ended between the two looks.
      if { read -r code <"$job/exit"; } 2>/dev/null; then break; fi
      end_members && refuse JOB-LOST 'the build ended without a result'
      return
    fi
    if [ "$waited" -ge "$wait" ] || [ "$(($(wc -c <"$job/log")))" -gt "$from" ]; then tell '"over":false,"waits":false'; return; fi
    waited=$((waited + 1))
    sleep 1
  done
  tell_over "$code" false
}

tell() {
  log=$(tail -c +$((from + 1)) "$job/log" 2>/dev/null | head -c 49152 | base64 | tr -d '\n')
  [ "$job_id" = "$wanted" ] || log=''
  printf '@@R@@ %s 1\n{"ok":true,%s,"log":"%s"}\n' "$id" "$1" "$log" >&3
}

# tell_over CODE REUSED
tell_over() {
  made=''
  if [ "$1" = 0 ]; then
    is_made || { refuse MADE 'the build succeeded, and its file is not there'; return; }
    made=",\"size\":$size,\"sha256\":\"$sha\",\"go\":\"$built_by\",\"path\":\"$out/$component.exe\""
  fi
  tell "\"over\":true,\"code\":\"$1\",\"reused\":$2$made"
}

# Whether that commit was built, and its file is still the one that was.
is_made() {
  out=$dir/builds/$component/$version/$commit
  { read -r size sha built_by <"$out/made"; } 2>/dev/null || return
  [ "$(sha256sum <"$out/$component.exe" 2>/dev/null)" = "$sha  -" ]
}

cancel_job() {
  if [ "$job_id" = "$wanted" ] && { read -r code <"$job/exit"; } 2>/dev/null; then tell_over "$code" false; return; fi
  if same_change; then
    end_members || return
    [ -e "$job/exit" ] || echo cancelled >"$job/exit"
  fi
  tell_over cancelled false
}

# Whether the job there is of the same change; an id is the change's, a hyphen and the run's.
same_change() { [ "${job_id%-*}" = "${wanted%-*}" ]; }

leader_lives() {
  [ -n "$job_pid" ] && [ "$job_boot" = "$boot" ] || return
  { read -r line <"/proc/$job_pid/stat"; } 2>/dev/null || return
  set -- ${line##*) }
  case $1 in Z | X) return 1 ;; esac
  [ "${20}" = "$job_start" ]
}

# Ends every process of the job that $job_id names, and looks again: asked to, then killed. Refuses when some stay.
end_members() {
  [ -n "$job_id" ] && [ "$job_boot" = "$boot" ] || return 0
  tries=0
  while find_members && [ -n "$members" ]; do
    case $tries in
      0) kill -TERM $members 2>/dev/null ;;
      20) kill -KILL $members 2>/dev/null ;;
      60) refuse LEFT "processes of the build do not end:$members"; return 1 ;;
    esac
    tries=$((tries + 1))
    sleep 0.2
  done
}

# Sets $members: the processes of its session, and those that bear its mark though they made a session of their own.
find_members() {
  members=''
  for path in /proc/[0-9]*; do
    { read -r line <"$path/stat"; } 2>/dev/null || continue
    if in_session ${line##*) }; then members="$members ${path#/proc/}"; fi
  done
  for path in $(grep -lzx "FAIRWAY_JOB=$job_id" /proc/[0-9]*/environ 2>/dev/null); do
    path=${path%/environ} path=${path#/proc/}
    case "$members " in *" $path "*) ;; *) members="$members $path" ;; esac
  done
}

# What a stat line has after the name. A session's number is nobody else's as long as one process is left in it.
in_session() {
  case $1 in Z | X) return 1 ;; esac
  [ "$4" = "$job_pid" ]
}
