# watch: blocks until one of the given processes (component=pid) ends, and says at once which. It ends with its stdin, so that it
# outlives no session. It fails where the kernel can't do it (before Linux 5.3).
use strict;
$| = 1;
my (%name, @gone);
for (@ARGV) {
  my ($name, $pid) = /^([a-z-]+)=([0-9]+)$/ or die "not a process: $_\n";
  my $fd = syscall 434, $pid + 0, 0;    # pidfd_open, on every architecture
  my $none = $fd < 0 && $! == 3;        # ESRCH
  die "pidfd_open: $!\n" if $fd < 0 && !$none;
  # Opened first, looked at then: the number may be another process's by now.
  my $is = !$none && open(COMM, '<', "/proc/$pid/comm") && <COMM>;
  if ($is eq "$name\n") { $name{$fd} = $name } else { push @gone, $name }
}
print "\@\@READY\@\@ 1\n", map { "\@\@GONE\@\@ $_\n" } @gone;
while (%name) {
  my $wanted = '';
  vec($wanted, $_, 1) = 1 for 0, keys %name;
  next if select(my $ready = $wanted, undef, undef, undef) < 0;
  exit if vec $ready, 0, 1;
  for (grep { vec $ready, $_, 1 } keys %name) { print "\@\@GONE\@\@ $name{$_}\n"; delete $name{$_} }
}
