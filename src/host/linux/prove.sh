# prove: who answers an ICMP echo, or at least a TCP connection to port 22 (refused is an answer too).

do_prove() {
  field source; source=$value
  field targets; targets=$value
  for address in "$source" $targets; do
    is_address "$address" || { refuse PARAMS 'addresses only'; return; }
  done
  answers=$(
    exec 3>&-
    count=0
    for target in $targets; do
      probe "$target" &
      count=$((count + 1))
      [ $((count % 64)) -ne 0 ] || wait
    done
    wait
  )
  list=''
  for answer in $answers; do list="$list${list:+,}$answer"; done
  printf '@@R@@ %s 1\n{"ok":true,"answers":{%s}}\n' "$id" "$list" >&3
}

# is_address TEXT: four plain decimals; ping would also take 10.7, 0x0a000007 and 10.0.0.07, which name other machines than they seem to.
is_address() {
  case $1 in '' | *[!0-9.]* | *.) return 1 ;; esac
  old_ifs=$IFS IFS=.
  set -- $1
  IFS=$old_ifs
  [ $# -eq 4 ] || return 1
  for part; do
    case $part in '' | 0?* | ????*) return 1 ;; esac
    [ "$part" -le 255 ] || return 1
  done
}

probe() {
  answer=none
  if answers_ping "$1" 1 || answers_ping "$1" 2; then answer=icmp; elif answers_tcp "$1"; then answer=tcp; fi
  printf '"%s":"%s"\n' "$1" "$answer"
}

answers_ping() {
  ping -q -c 1 -W "$2" -I "$source" "$1" </dev/null >/dev/null 2>&1
}

answers_tcp() {
  if command -v perl >/dev/null; then
    perl -MErrno=ECONNREFUSED -MIO::Socket::INET -e '
      my ($peer, $source) = @ARGV;
      my $socket = IO::Socket::INET->new(PeerAddr => $peer, PeerPort => 22, Timeout => 2, LocalAddr => $source);
      exit !($socket || $! == ECONNREFUSED);' "$1" "$source" </dev/null >/dev/null 2>&1
  else
    case $(LC_ALL=C nc -v -w 2 -s "$source" "$1" 22 </dev/null 2>&1) in
      *refused* | *SSH-*) true ;;
      *) false ;;
    esac
  fi
}
