# What a build is, as a program of its own. Its output is the log; what it comes to is in `exit`, once it is over.
job=$1 id=$2 dir=$3 component=$4 version=$5 commit=$6 source=$7 by=$8
tree=$dir/go/src/k8s.io/kubernetes new=$dir/new

read -r boot </proc/sys/kernel/random/boot_id
read -r line <"/proc/$$/stat"
set -- ${line##*) }
# Held as long as a process of it is left: there are never two.
exec 9>"$dir/lock"
flock -n 9 || exit
# On a full disk there is room for the result, at least.
head -c 65536 /dev/zero >"$job/room"
{ echo "$id $$ ${20} $boot" >"$job/pid.new" && mv "$job/pid.new" "$job/pid"; } || exit

fetch() {
  echo "== fetch $version from $source"
  [ -d .git ] || git init -q
  # What a fetch that was ended by force leaves behind.
  find .git \( -name '*.lock' -o -name 'tmp_pack_*' \) -delete
  # A server that sends nothing any more for 5 min.
  git -c http.lowSpeedLimit=1 -c http.lowSpeedTime=300 fetch --progress --depth 1 --no-tags --no-recurse-submodules -- "$source" "+refs/tags/$version:refs/tags/$version"
  if [ "$(git rev-parse --verify "refs/tags/$version^{commit}")" != "$commit" ]; then
    echo "$version is not $commit any more"
    exit 1
  fi
  git -c core.hooksPath=/dev/null checkout -q --force --detach "$commit"
  git clean -ffdqx
}

make_file() {
  go version
  # Kubernetes has modules since 1.15 only, and Go takes them for granted since 1.16.
  [ -f go.mod ] || export GO111MODULE=off
  if [ "$by" = make ]; then
    echo "== KUBE_BUILD_PLATFORMS=windows/amd64 make WHAT=cmd/$component"
    KUBE_BUILD_PLATFORMS=windows/amd64 make "WHAT=cmd/$component"
    made=$(find _output -type f -path "*windows/amd64/$component.exe" | head -n 1)
    cp "$made" "$new/$component.exe"
  else
    echo "== GOOS=windows GOARCH=amd64 go build ./cmd/$component"
    CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o "$new/$component.exe" "./cmd/$component"
  fi
}

build() (
  set -e
  export GOPATH="$dir/go" GOCACHE="$dir/cache" GOTMPDIR="$dir/tmp" TMPDIR="$dir/tmp"
  rm -rf "$new" "$dir/tmp"
  mkdir -p "$new" "$dir/tmp" "$dir/cache" "$tree"
  cd "$tree"
  fetch
  make_file
  cd "$new"
  sum=$(sha256sum <"$component.exe")
  set -- $(go version)
  echo "$(($(wc -c <"$component.exe"))) ${sum%% *} ${3#go}" >made
  out=$dir/builds/$component/$version/$commit
  mkdir -p "${out%/*}"
  rm -rf "$out"
  mv "$new" "$out"
  echo "== $out/$component.exe, SHA-256 ${sum%% *}"
)

build
code=$?
rm -rf "$job/room" "$dir/tmp"
[ "$code" = 0 ] || rm -rf "$new"
echo "$code" >"$job/exit.new" && mv "$job/exit.new" "$job/exit"
