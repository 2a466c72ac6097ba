# sync: one batch of changes, then the tables as they are.

do_sync() {
  field fence; fence=$value
  field forward; forward=$value
  field full; full=$value
  field batch; batch=$value
  case $fence in '' | *[!0-9]* | ????????????????*) refuse PARAMS 'no fence'; return ;; esac
  case $forward in '' | 0 | 1) ;; *) refuse PARAMS 'forward is 0, 1 or empty'; return ;; esac
  check_batch || { refuse PARAMS "not a line that I run: $line"; return; }
  rights_to apply "$ip -4 -j -force -batch -" || return
  pass_fence "$fence" || return
  if [ "$way" = root ] && [ "$plain" = yes ] && [ ! -x "$helper" ]; then
    [ -z "$forward" ] || set_forwarding
    read_more "$full"
    do_read "$batch" "$more"
    return
  fi
  if [ "$way" = helper ]; then
    case $forward in 1) batch="forwarding on\\n$batch" ;; 0) batch="forwarding off\\n$batch" ;; esac
  elif [ -n "$forward" ]; then
    set_forwarding
  fi
  # A fresh ip: by sudo, or because the resident one may remember the number of a device that was made anew since.
  printf '%b' "$batch" | $run >&3 2>&1
  if [ "$way" = root ] && [ -x "$helper" ]; then "$helper" save >&3 2>&1; fi
  read_more "$full"
  do_read '' "$more"
}

# Fails unless every line is one of the changes that Fairway makes, in harmless characters. `ip -batch` could run any program
# (netns exec), so this is what keeps a request from being a command. Sets $plain to yes when only routes change.
check_batch() {
  plain=yes line='other characters, or no end'
  case $batch in
    '') return ;;
    *[!A-Za-z0-9\ ._/\\-]*) return 1 ;;
    *\\n) ;;
    *) return 1 ;;
  esac
  # Cut at the backslashes in one go: line by line would copy the rest for each of hundreds. What follows one is its `n`.
  old_ifs=$IFS IFS=\\
  set -- n$batch
  IFS=$old_ifs
  while [ $# -gt 1 ]; do
    line=${1#n}
    case $1 in
      'nroute add '*' proto 155' | 'nroute del '*' proto 155') ;;
      'nlink add name '*' type bridge' | 'nlink delete '*' type bridge') plain=no ;;
      'nlink set '*' up' | 'nlink set '*' down') plain=no ;;
      'naddress add '*' dev '* | 'naddress del '*' dev '*) plain=no ;;
      *) return 1 ;;
    esac
    shift
  done
  [ "$1" = n ]
}

set_forwarding() {
  if [ "$way" = root ]; then
    echo "$forward" 2>&3 >/proc/sys/net/ipv4/ip_forward
  else
    sudo -n sysctl -w "net.ipv4.ip_forward=$forward" </dev/null >/dev/null 2>&3
  fi
}

# pass_fence TOKEN: remembers the highest token seen, and refuses a lower one: its lease is over.
pass_fence() {
  dir=/run/fairway
  [ "$uid" = 0 ] || dir=/tmp/fairway-$uid
  # umask 077 made it ours alone; somebody else's directory under our name in /tmp is not trusted.
  if [ ! -d "$dir" ]; then mkdir "$dir" 2>&3; fi
  if [ -h "$dir" ] || [ ! -O "$dir" ]; then refuse FENCE "$dir is not mine"; return 1; fi
  seen=0
  [ ! -f "$dir/fence" ] || read -r seen <"$dir/fence"
  case $seen in '' | *[!0-9]*) seen=0 ;; esac
  if [ "$1" -lt "$seen" ]; then refuse FENCED "token $1 is older than $seen"; return 1; fi
  [ "$1" -eq "$seen" ] || echo "$1" >"$dir/fence"
}
