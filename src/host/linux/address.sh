# is_address TEXT: four plain decimals. Programs would also take 10.7, 0x0a000007 and 10.0.0.07, which name other machines than they seem to.
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
