# check-build: whether this host can build, and which commit the version is. It reads, and asks the git server; nothing is written.

do_check() {
  git=$(third_word git --version)
  go=$(third_word go version)
  make=false
  ! command -v make >/dev/null || make=true
  at=$dir
  while [ ! -d "$at" ]; do at=${at%/*} at=${at:-/}; done
  free=$(df -Pk "$at" 2>&3 | { read -r _; read -r _ _ _ kib _; echo "${kib:-}"; })
  case $free in '' | *[!0-9]*) free=null ;; esac
  commit=''
  [ -z "$git" ] || commit=$(find_commit)
  built=false
  [ -z "$commit" ] || [ ! -f "$dir/builds/$component/$version/$commit/made" ] || built=true
  printf '@@R@@ %s 1\n{"ok":true,"git":"%s","go":"%s","make":%s,"freeKib":%s,"commit":"%s","built":%s}\n' \
    "$id" "$git" "${go#go}" "$make" "$free" "$commit" "$built" >&3
}

# third_word PROGRAM ARGUMENT: what `git --version` and `go version` say theirs is; nothing when it is in other characters.
third_word() {
  set -- $("$@" </dev/null 2>/dev/null)
  case ${3-} in *[!0-9A-Za-z.+-]*) ;; *) echo "${3-}" ;; esac
}

# The commit that the tag leads to: an annotated one has a line of its own for that.
find_commit() {
  timeout 60 git ls-remote -- "$source" "refs/tags/$version" "refs/tags/$version^{}" </dev/null 2>&3 | {
    found=''
    while read -r hash name; do
      case $name in "refs/tags/$version") [ -n "$found" ] || found=$hash ;; "refs/tags/$version^{}") found=$hash ;; esac
    done
    case $found in *[!0-9a-f]*) ;; *) echo "$found" ;; esac
  }
}

# Sets what is to be built from the request; fails, with $wrong set, for anything that is not of its form.
take_build() {
  field component; component=$value
  field version; version=$value
  field source; source=$value
  field dir; dir=$value
  wrong=component
  case $component in kubelet | kube-proxy) ;; *) return 1 ;; esac
  wrong=version
  case $version in *[!0-9A-Za-z.+-]* | *..*) return 1 ;; v[0-9]*.[0-9]*.[0-9]*) ;; *) return 1 ;; esac
  wrong=dir
  case $dir in *[!A-Za-z0-9._/-]* | *..*) return 1 ;; /?*) ;; *) return 1 ;; esac
  wrong=source
  # A redirect stays within these, too.
  case $source in
    *[!A-Za-z0-9._/:@+~-]* | *..* | *://-* | *@-*) return 1 ;;
    http://?* | https://?*) GIT_ALLOW_PROTOCOL=http:https ;;
    ssh://?*) GIT_ALLOW_PROTOCOL=ssh ;;
    /?*) GIT_ALLOW_PROTOCOL=file ;;
    *) return 1 ;;
  esac
  export GIT_ALLOW_PROTOCOL
}

# sum: SHA-256 of a file's first bytes: whether what was copied of it so far is right.
do_sum() {
  field path; path=$value
  field bytes; bytes=$value
  case $path in *[!A-Za-z0-9+._/-]* | *..*) refuse PARAMS 'no such path'; return ;; /?*) ;; *) refuse PARAMS 'no such path'; return ;; esac
  case $bytes in '' | *[!0-9]* | ????????????????*) refuse PARAMS 'no such number'; return ;; esac
  [ -r "$path" ] || { refuse NO-FILE "there is no $path any more"; return; }
  sum=$(head -c "$bytes" "$path" | sha256sum)
  printf '@@R@@ %s 1\n{"ok":true,"sha256":"%s"}\n' "$id" "${sum%% *}" >&3
}
