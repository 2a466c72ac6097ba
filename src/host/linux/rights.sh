# Who does what only root may: this login, the root helper (docs/linux-host.md), or sudo for each program.

helper=/usr/local/sbin/fairway-node

# find_way VERB PROGRAM: sets $way, and $run to what does it: the program, or the helper's verb. No word of either has a blank in it.
find_way() {
  way=none run=''
  if [ "$uid" = 0 ]; then
    way=root run=$2
  elif [ -x "$helper" ] && may $helper $1; then
    way=helper run="sudo -n $helper $1"
  elif may $2; then
    way=sudo run="sudo -n $2"
  fi
  [ "$way" != none ]
}

may() {
  command -v sudo >/dev/null && sudo -n -l "$@" </dev/null >/dev/null 2>&3
}

rights_to() {
  find_way "$@" || { refuse NO-RIGHTS 'this login is not root, and sudo does not let it do that'; return 1; }
}
