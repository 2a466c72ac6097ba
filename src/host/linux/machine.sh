# What a full read tells beside the network. It forks as it likes: it comes with a plan or a check, not with a probe.

# read_more FULL: sets $more to what the answer's first document holds beside; empty unless that is asked for.
read_more() {
  more=''
  [ "$1" = 1 ] || return 0
  find_way apply "$ip -4 -j -force -batch -"
  may_install=false
  if [ "$uid" = 0 ] || may_install; then may_install=true; fi
  find_process kubelet "$kubelet_pid"
  kubelet_pid=$pid
  more=",\"linux\":{\"privilege\":\"$way\",\"mayInstall\":$may_install,\"iproute\":\"$(harmless "$("$ip" -V)")\""
  more="$more,\"cniPlugins\":$(cni_plugins),\"forwardPolicy\":\"$(harmless "$(forward_policy)")\""
  more="$more,\"networkManagers\":[$(network_managers)],\"foreignRoutes\":\"$(foreign_routes)\",\"helper\":$(helper_json)"
  more="$more,\"atBoot\":$(at_boot),\"kubelet\":\"$(command_line)\",\"freeKib\":$(free_kib),\"clock\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"}"
}

# What was allowed by sudo is seen by trying: a rule that asks for a password is none.
may_install() {
  command -v sudo >/dev/null && sudo -n /bin/sh -c : </dev/null >/dev/null 2>&1
}

# harmless TEXT: that text where it needs no escaping in JSON, else nothing.
harmless() {
  case $1 in *[!A-Za-z0-9\ ,./:_+-]*) ;; *) printf '%s' "$1" ;; esac
}

cni_plugins() {
  [ -d /opt/cni/bin ] || { echo null; return; }
  list=''
  for path in /opt/cni/bin/*; do
    name=$(harmless "${path##*/}")
    if [ -x "$path" ] && [ -n "$name" ]; then list="$list${list:+,}\"$name\""; fi
  done
  echo "[$list]"
}

# Only root may ask.
forward_policy() {
  [ "$uid" != 0 ] || iptables -w -S FORWARD 2>/dev/null </dev/null | head -n 1
}

has_systemd() {
  [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}

network_managers() {
  list=''
  if has_systemd; then
    for pair in systemd-networkd:systemd-networkd NetworkManager:NetworkManager networking:ifupdown; do
      if systemctl -q is-active "${pair%:*}.service" </dev/null; then list="$list${list:+,}\"${pair#*:}\""; fi
    done 2>&3
  fi
  printf %s "$list"
}

# What networkd's files say last of ManageForeignRoutes.
foreign_routes() {
  said=''
  for file in /usr/lib/systemd/networkd.conf /etc/systemd/networkd.conf \
    /usr/lib/systemd/networkd.conf.d/*.conf /run/systemd/networkd.conf.d/*.conf /etc/systemd/networkd.conf.d/*.conf; do
    [ -r "$file" ] || continue
    while IFS== read -r key value; do
      [ "$key" != ManageForeignRoutes ] || said=$(harmless "$value")
    done <"$file"
  done
  printf %s "$said"
}

# The version is in the helper's second line. One that is not root's alone is not the helper.
helper_json() {
  [ -e "$helper" ] || { echo null; return; }
  version='' clusterCidr='' bridge='' podCidr=''
  if [ -n "$(find "$helper" -prune -type f -user 0 ! -perm -020 ! -perm -002)" ]; then
    { read -r _ && read -r _ _ _ version _; } <"$helper"
  fi
  if [ -r /etc/fairway/node.conf ]; then
    while read -r key value; do
      case $key in clusterCidr) clusterCidr=$value ;; bridge) bridge=$value ;; podCidr) podCidr=$value ;; esac
    done </etc/fairway/node.conf
  fi
  is=false
  [ "$version" != "$helper_version" ] || is=true
  printf '{"isCurrent":%s,"clusterCidr":"%s","bridge":"%s","podCidr":"%s"}' \
    "$is" "$(harmless "$clusterCidr")" "$(harmless "$bridge")" "$(harmless "$podCidr")"
}

at_boot() {
  has_systemd || { echo null; return; }
  case $(systemctl is-enabled fairway-routes.service </dev/null 2>/dev/null) in enabled) echo true ;; *) echo false ;; esac
}

# As base64, since it may hold anything; empty when no kubelet runs.
command_line() {
  [ -z "$kubelet_pid" ] || tr '\0' ' ' <"/proc/$kubelet_pid/cmdline" 2>&3 | base64 | tr -d '\n'
}

free_kib() {
  df -Pk / | { read -r _; read -r _ _ _ free _; echo "${free:-0}"; }
}
