# The resident loop of a build host. Its answers go to its stdout, which is also our fd 3.

handle() {
  id=$1
  case $id in '' | *[!0-9]* | ????????????????*) return ;; esac
  case $2 in check-build | build | sum) ;; *) refuse SCRIPT 'no such script'; return ;; esac
  take "$3" || { refuse PARAMS 'not base64 of an object of mine'; return; }
  if [ "$2" = sum ]; then do_sum; return; fi
  take_build || { refuse PARAMS "no such $wrong"; return; }
  case $2 in
    check-build) do_check ;;
    build) do_build ;;
  esac
}

# Where Go's own archive is unpacked to, as its instructions have it.
LC_ALL=C PATH=${PATH:-/usr/bin:/bin}:/usr/local/go/bin
# Nothing asks for a password, no program but these transports is run, whatever an address or a server says.
GIT_TERMINAL_PROMPT=0 GIT_PROTOCOL_FROM_USER=0 GIT_SSH_COMMAND='ssh -o BatchMode=yes -o ServerAliveInterval=60 -o ServerAliveCountMax=5'
export LC_ALL PATH GIT_TERMINAL_PROMPT GIT_PROTOCOL_FROM_USER GIT_SSH_COMMAND
umask 077
exec 3>&1
read -r boot </proc/sys/kernel/random/boot_id
printf '@@READY@@ 1\n' >&3
if [ $# -gt 0 ]; then
  handle 1 "$1" "$2"
else
  while read -r id script params; do handle "$id" "$script" "$params"; done
fi
