# read: forwarding, boot and bridges from the kernel's files; routes and addresses from the resident ip, which prints them itself.

do_read() {
  read -r forward </proc/sys/net/ipv4/ip_forward
  bridges=''
  for path in /sys/class/net/*/bridge; do
    [ -d "$path" ] || continue
    path=${path%/bridge}
    bridges="$bridges${bridges:+,}\"${path##*/}\""
  done
  printf '@@R@@ %s 3\n{"ok":true,"forward":"%s","boot":"%s","bridges":[%s]}\n' "$id" "$forward" "$boot" "$bridges" >&3
  printf '%broute show\naddress show\n' "$1"
}
