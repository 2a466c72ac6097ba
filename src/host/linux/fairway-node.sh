#!/bin/sh
# /usr/local/sbin/fairway-node, root:root, 0755. Fairway knows its own version of it by its SHA-256.
#
# Does, as root, what Fairway needs root for on a Linux node, and nothing else: its own routes (proto 155) within the cluster CIDR, the
# bridge that root named in node.conf and the pod gateway on it, forwarding, two units of systemd. What a boot would lose is noted, and
# brought back at boot. Fairway's docs/linux-host.md says more. Fails with 2 when it refuses, before anything is changed.

set -fu
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
umask 022

self=/usr/local/sbin/fairway-node
conf=/etc/fairway/node.conf
saved=/etc/fairway/boot
forward=/etc/sysctl.d/90-fairway.conf
unit=/etc/systemd/system/fairway-routes.service
networkd=/etc/systemd/networkd.conf.d/10-fairway.conf

fail() {
  echo "fairway-node: $*" >&2
  exit 2
}

# number ADDRESS: sets $number. Plain decimals only: 10.7 and 010.0.0.1 would name other machines than they seem to.
number() {
  case $1 in *. | *[!0-9.]*) return 1 ;; esac
  old_ifs=$IFS IFS=.
  set -- $1
  IFS=$old_ifs
  [ $# -eq 4 ] || return 1
  for part; do
    case $part in [0-9] | [1-9][0-9] | 1[0-9][0-9] | 2[0-4][0-9] | 25[0-5]) ;; *) return 1 ;; esac
  done
  number=$(($1 << 24 | $2 << 16 | $3 << 8 | $4))
}

# cidr TEXT: sets $number, and $base and $end (the first address that is not in it any more).
cidr() {
  case ${1##*/} in [0-9] | [12][0-9] | 3[0-2]) ;; *) return 1 ;; esac
  number "${1%/*}" || return
  base=$((number >> (32 - ${1##*/}) << (32 - ${1##*/}))) end=$((base + (1 << (32 - ${1##*/}))))
}

# Fails unless that link or file is root's, no symbolic link, and nobody else's to write.
is_roots() {
  [ ! -h "$1" ] && [ -n "$(find "$1" -prune -user 0 ! -perm -020 ! -perm -002)" ]
}

# Sets $cluster, $bridge and $own, the node's slice: as node.conf has it, else what the bridge holds, else empty.
read_conf() {
  for file in "${conf%/*}" "$conf"; do
    [ -e "$file" ] || fail "there is no $file"
    is_roots "$file" || fail "$file is not root's alone"
  done
  cluster='' bridge='' own=''
  while read -r key value; do
    case $key in
      clusterCidr) cluster=$value ;;
      bridge) bridge=$value ;;
      podCidr) own=$value ;;
      *) fail "$conf: only clusterCidr, bridge and podCidr" ;;
    esac
  done <"$conf"
  check_conf
  [ -n "$own" ] || own_from_bridge
}

check_conf() {
  cidr "$cluster" && [ "$number" = "$base" ] || fail "$conf: clusterCidr is no CIDR"
  cluster_base=$base cluster_end=$end
  case $bridge in '' | -* | . | .. | ????????????????* | *[!A-Za-z0-9._-]*) fail "$conf: bridge is no name" ;; esac
  [ ! -e "/sys/class/net/$bridge" ] || [ -d "/sys/class/net/$bridge/bridge" ] || fail "$bridge is not a bridge"
  [ -z "$own" ] || is_slice "$own" || fail "$conf: podCidr is none of the cluster's"
}

own_from_bridge() {
  for held in $(bridge_addresses); do
    cidr "$held" && in_cluster && own=$(dotted "$base")/${held#*/}
  done
}

bridge_addresses() {
  ip -4 -o address show dev "$bridge" 2>/dev/null | while read -r _ _ _ held _; do echo "$held"; done
}

dotted() {
  echo "$(($1 >> 24)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255))"
}

in_cluster() {
  [ "$base" -ge "$cluster_base" ] && [ "$end" -le "$cluster_end" ]
}

is_slice() {
  cidr "$1" && [ "$number" = "$base" ] && in_cluster
}

# is_route CIDR HOP: to a slice of somebody else.
is_route() {
  is_slice "$1" || return
  slice_base=$base slice_end=$end
  number "$2" || return
  # What leads to the next hop can't lie behind it.
  if [ "$number" -ge "$slice_base" ] && [ "$number" -lt "$slice_end" ]; then return 1; fi
  [ -n "$own" ] || return 0
  cidr "$own" && { [ "$slice_base" -ge "$end" ] || [ "$base" -ge "$slice_end" ]; }
}

# is_gateway ADDRESS/LENGTH: the first of the node's own slice. Where it has none yet, this makes it one.
is_gateway() {
  cidr "$1" && in_cluster && [ "$number" -eq $((base + 1)) ] && [ "$number" -lt $((end - 1)) ] || return
  slice=$(dotted "$base")/${1#*/}
  [ "${own:-$slice}" = "$slice" ] && own=$slice
}

# is_mine WORDS: whether this is one of the lines that Fairway makes, and is allowed to.
is_mine() {
  case "$# ${1-} ${2-}" in
    '7 route add') [ "$4 $6 $7" = 'via proto 155' ] && is_route "$3" "$5" ;;
    '7 route del')
      is_slice "$3" && case "$4 $6 $7" in 'via proto 155' | 'dev proto 155') ;; *) false ;; esac
      ;;
    '6 link add') [ "$3 $4 $5 $6" = "name $bridge type bridge" ] ;;
    '5 link delete') [ "$3 $4 $5" = "$bridge type bridge" ] ;;
    '4 link set') [ "$3 $4" = "$bridge up" ] || [ "$3 $4" = "$bridge down" ] ;;
    '5 address add' | '5 address del') [ "$4 $5" = "dev $bridge" ] && is_gateway "$3" ;;
    '2 forwarding on' | '2 forwarding off') ;;
    *) false ;;
  esac
}

# Takes lines from stdin, runs all or none, and notes what there is then.
apply() {
  batch='' forwarding='' count=0
  while IFS= read -r line; do
    count=$((count + 1))
    # ip has its own ideas of quotes, backslashes and comments.
    case $line in '' | *[!A-Za-z0-9\ ._/-]*) fail "line $count has other characters than I take" ;; esac
    is_mine $line || fail "line $count is none that I run"
    case $line in
      forwarding*) forwarding=${line#* } ;;
      *)
        batch="$batch$line
"
        ;;
    esac
  done
  case $forwarding in
    on) echo 1 >/proc/sys/net/ipv4/ip_forward ;;
    off) echo 0 >/proc/sys/net/ipv4/ip_forward ;;
  esac
  # What it says is for the audit; who called reads the tables.
  printf '%s' "$batch" | ip -4 -force -batch -
  save
}

# What there is of what is_mine allows to make, as such lines.
snapshot() {
  for held in $(bridge_addresses); do
    is_gateway "$held" || continue
    printf '%s\n' "link add name $bridge type bridge" "address add $held dev $bridge" "link set $bridge up"
  done
  ip -4 route show proto 155 | while read -r to via hop _; do
    case $to in */*) ;; *) to=$to/32 ;; esac
    if [ "$via" = via ] && is_route "$to" "$hop"; then echo "route add $to via $hop proto 155"; fi
  done
}

# put FILE: its new content is stdin's, at once or not at all.
put() {
  mkdir -p "${1%/*}" && cat >"$1.new" && mv -f "$1.new" "$1" || fail "can't write $1"
}

save() {
  snapshot | put "$saved" || exit
  read -r on </proc/sys/net/ipv4/ip_forward
  if [ "$on" = 1 ]; then echo 'net.ipv4.ip_forward = 1' | put "$forward" || exit; else rm -f "$forward"; fi
}

# The noted lines that are not so. The first pattern is no line: busybox' grep finds nothing by none at all.
missing() {
  { echo none; snapshot; } | grep -vxFf - "$saved"
}

# At boot. The network may not be all there yet, so it tries for half a minute.
restore() {
  [ -e "$saved" ] || return 0
  is_roots "$saved" || fail "$saved is not root's alone"
  [ ! -e "$forward" ] || echo 1 >/proc/sys/net/ipv4/ip_forward
  for try in 1 2 3 4 5 6 7 8 9 10; do
    missing | ip -4 -force -batch -
    left=$(missing) || return 0
    sleep 3
  done
  echo "fairway-node: not restored: $left" >&2
  return 1
}

# install CLUSTER-CIDR BRIDGE [POD-CIDR]: what makes the routes outlive a boot. Safe to repeat.
install() {
  cluster=$1 bridge=$2 own=${3-}
  check_conf
  {
    printf 'clusterCidr %s\nbridge %s\n' "$cluster" "$bridge"
    [ -z "$own" ] || echo "podCidr $own"
  } | put "$conf" || exit
  read_conf
  save
  has_systemd || { echo "fairway-node: no systemd here: let the boot run $self restore" >&2; return; }
  # PartOf: when networkd starts anew, so does this.
  put "$unit" <<END
[Unit]
Description=Pod routes by Fairway
Wants=network-online.target
After=network-online.target systemd-networkd.service NetworkManager.service
PartOf=systemd-networkd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$self restore

[Install]
WantedBy=multi-user.target
END
  # networkd drops routes that it didn't make when it starts, and reads this then, so that it needs no restart now, which would
  # touch the links. Until its next start it may still drop them where a link is configured anew; Fairway's watch hears that.
  if systemctl -q is-active systemd-networkd.service; then
    printf '[Network]\nManageForeignRoutes=no\n' | put "$networkd"
  fi
  systemctl daemon-reload && systemctl enable fairway-routes.service && systemctl --no-block start fairway-routes.service
}

uninstall() {
  if has_systemd; then systemctl disable --now fairway-routes.service; fi
  rm -f "$unit" "$networkd" "$forward" "$saved" "$conf"
  rmdir "${conf%/*}" 2>/dev/null
  if has_systemd; then systemctl daemon-reload; fi
  rm -f "$self"
}

has_systemd() {
  [ -d /run/systemd/system ]
}

case "$# $*" in
  '1 apply') read_conf; apply ;;
  '1 save') read_conf; save ;;
  '1 restore') read_conf; restore ;;
  '3 service start kubelet' | '3 service stop kubelet' | '3 service restart kubelet' | \
    '3 service start kube-proxy' | '3 service stop kube-proxy' | '3 service restart kube-proxy')
    exec systemctl "$2" "$3.service"
    ;;
  '2 logs kubelet' | '2 logs kube-proxy') exec journalctl -u "$2.service" -n 200 --no-pager -o short-iso ;;
  '3 install '* | '4 install '*) shift && install "$@" ;;
  '1 uninstall') uninstall ;;
  *) fail 'apply, save, restore, service <start|stop|restart> <kubelet|kube-proxy>, logs <kubelet|kube-proxy>, install, uninstall' ;;
esac
