# read: forwarding, boot and bridges from the kernel's files; routes and addresses from the resident ip, which prints them itself.

# read: with "full":1 also of the machine.
do_read_asked() {
  field full
  read_more "$value"
  do_read '' "$more"
}

# do_read LINES MORE: runs the lines for ip first; MORE is what else the first document holds.
do_read() {
  read -r forward </proc/sys/net/ipv4/ip_forward
  bridges=''
  for path in /sys/class/net/*/bridge; do
    [ -d "$path" ] || continue
    path=${path%/bridge}
    bridges="$bridges${bridges:+,}\"${path##*/}\""
  done
  printf '@@R@@ %s 3\n{"ok":true,"forward":"%s","boot":"%s","bridges":[%s]%s}\n' "$id" "$forward" "$boot" "$bridges" "${2-}" >&3
  printf '%broute show\naddress show\n' "$1"
}
