# persistence: puts the root helper there, which then does the rest by itself, or lets it take everything away again.

do_persistence() {
  field fence; fence=$value
  field action; action=$value
  field cluster; cluster=$value
  field bridge; bridge=$value
  field own; own=$value
  case $fence in '' | *[!0-9]* | ????????????????*) refuse PARAMS 'no fence'; return ;; esac
  case $action in ensure | remove) ;; *) refuse PARAMS 'ensure or remove'; return ;; esac
  as=''
  if [ "$uid" != 0 ]; then
    may_install || { refuse NO-RIGHTS 'this login is not root, and sudo does not let it install anything'; return; }
    as='sudo -n'
  fi
  pass_fence "$fence" || return
  if [ "$action" = remove ]; then
    $as "$helper" uninstall </dev/null >&3 2>&1
  else
    field helper
    printf %s "$value" | $as /bin/sh -c "$put_helper" fairway "$helper" "$cluster" "$bridge" "$own" >&3 2>&1
  fi
  read_more 1
  do_read '' "$more"
}

# Whole or not at all; an older one is replaced. The helper itself looks at what it is told.
put_helper='
umask 022
mkdir -p "${1%/*}" && base64 -d >"$1.new" && chmod 755 "$1.new" && mv -f "$1.new" "$1" || exit
exec "$1" install "$2" "$3" ${4:+"$4"}
'
