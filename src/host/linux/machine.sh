# What a full read tells beside the network. It comes with a plan or a check, not with a probe, so it may fork.

# read_more FULL: sets $more to what the answer's first document holds beside; empty unless that is asked for.
read_more() {
  more=''
  [ "$1" = 1 ] || return 0
  find_way apply "$ip -4 -j -force -batch -"
  installs=false
  if [ "$uid" = 0 ] || may_install; then installs=true; fi
  more=",\"linux\":{\"privilege\":\"$way\",\"mayInstall\":$installs"
  add iproute "$("$ip" -V)"
  add_plugins
  add_forward_chain
  add_systemd
  add_foreign_routes
  add_helper
  find_process kubelet "$kubelet_pid"
  kubelet_pid=$pid line=''
  # Base64, since it may hold anything.
  [ -z "$pid" ] || line=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>&3 | base64 | tr -d '\n')
  more="$more,\"kubelet\":\"$line\""
  set -- $(df -Pk / | tail -n 1) 0 0 0 0
  more="$more,\"freeKib\":$4,\"clock\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"}"
}

# What sudo allows is seen by trying: a rule that asks for a password is none.
may_install() {
  command -v sudo >/dev/null && sudo -n /bin/sh -c : </dev/null >/dev/null 2>&1
}

# add NAME TEXT: one more field; empty where the text would need escaping.
add() {
  case $2 in
    *[!A-Za-z0-9\ ,./:_+-]*) more="$more,\"$1\":\"\"" ;;
    *) more="$more,\"$1\":\"$2\"" ;;
  esac
}

# Empty where it can't be asked: for root alone, and whom sudo lets do just this.
add_forward_chain() {
  set -- "$(command -v iptables)" -w -S FORWARD
  line=''
  if [ -z "$1" ]; then :
  elif [ "$uid" = 0 ]; then line=$(accepting "$@")
  elif may "$@" 3>/dev/null; then line=$(accepting sudo -n "$@")
  fi
  more="$more,\"forwardChain\":\"$line\""
}

# accepting COMMAND ...: of the chain that it prints the policy and the rules that accept; base64, since a comment may hold anything.
accepting() {
  "$@" </dev/null 2>/dev/null | grep -e '^-P' -e ' -j ACCEPT$' | head -n 100 | base64 | tr -d '\n'
}

add_plugins() {
  [ -d /opt/cni/bin ] || { more="$more,\"cniPlugins\":null"; return; }
  list=''
  for path in /opt/cni/bin/*; do
    case ${path##*/} in *[!A-Za-z0-9._-]*) continue ;; esac
    if [ -x "$path" ]; then list="$list${list:+,}\"${path##*/}\""; fi
  done
  more="$more,\"cniPlugins\":[$list]"
}

add_systemd() {
  list='' at_boot=null
  if [ -d /run/systemd/system ] && command -v systemctl >/dev/null; then
    # One word for each, in this order.
    set -- $(systemctl is-active systemd-networkd.service NetworkManager.service networking.service </dev/null 2>&3) - - -
    [ "$1" != active ] || list='"systemd-networkd"'
    [ "$2" != active ] || list="$list${list:+,}\"NetworkManager\""
    [ "$3" != active ] || list="$list${list:+,}\"ifupdown\""
    at_boot=false
    [ "$(systemctl is-enabled fairway-routes.service </dev/null 2>/dev/null)" != enabled ] || at_boot=true
  fi
  more="$more,\"networkManagers\":[$list],\"atBoot\":$at_boot"
}

# What networkd's files say last of ManageForeignRoutes.
add_foreign_routes() {
  said=''
  for file in /usr/lib/systemd/networkd.conf /etc/systemd/networkd.conf \
    /usr/lib/systemd/networkd.conf.d/*.conf /run/systemd/networkd.conf.d/*.conf /etc/systemd/networkd.conf.d/*.conf; do
    [ -r "$file" ] || continue
    while IFS== read -r key value; do
      [ "$key" != ManageForeignRoutes ] || said=$value
    done <"$file"
  done
  add foreignRoutes "$said"
}

# One that is not root's alone is none of ours, whatever is in it.
add_helper() {
  [ -e "$helper" ] || { more="$more,\"helper\":null"; return; }
  is=false
  if [ -n "$(find "$helper" -prune -type f -user 0 ! -perm -020 ! -perm -002)" ]; then
    set -- $(sha256sum <"$helper") -
    [ "$1" != "$helper_sha256" ] || is=true
  fi
  cluster='' bridge='' own=''
  if [ -r /etc/fairway/node.conf ]; then
    while read -r key value; do
      case $key in clusterCidr) cluster=$value ;; bridge) bridge=$value ;; podCidr) own=$value ;; esac
    done </etc/fairway/node.conf
  fi
  more="$more,\"helper\":{\"isCurrent\":$is"
  add clusterCidr "$cluster"
  add bridge "$bridge"
  add podCidr "$own"
  more="$more}"
}
