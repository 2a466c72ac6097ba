# The resident loop. Its stdout is the stdin of one long-lived `ip -batch`, whose stdout is the channel's, which is also our fd 3.
# So reading a table costs no fork. EOF on stdin ends the loop, that ends ip, and nothing is left behind.

handle() {
  id=$1
  case $id in '' | *[!0-9]* | ????????????????*) return ;; esac
  case $2 in read | sync | persistence | prove | probe | service | logs) ;; *) refuse SCRIPT 'no such script'; return ;; esac
  take "$3" || { refuse PARAMS 'not base64 of an object of mine'; return; }
  case $2 in
    read) do_read_asked ;;
    sync) do_sync ;;
    persistence) do_persistence ;;
    prove) do_prove ;;
    probe) do_probe ;;
    service) do_service ;;
    logs) do_logs ;;
  esac
}

serve() {
  read -r boot </proc/sys/kernel/random/boot_id
  while read -r key uid _; do [ "$key" != Uid: ] || break; done </proc/self/status
  printf '@@READY@@ 1\n' >&3
  if [ $# -gt 0 ]; then
    handle 1 "$1" "$2"
  else
    while read -r id script params; do handle "$id" "$script" "$params"; done
  fi
}

LC_ALL=C PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
export LC_ALL PATH
umask 077
ip=$(command -v ip) || { echo 'no ip (iproute2) on this host' >&2; exit 1; }
exec 3>&1
# ip's errors go where its answers go: an error belongs to the tables that follow it.
serve "$@" | "$ip" -4 -j -force -batch - 2>&1
