# Restarts Windows, unless it has restarted since: the boot time is the one that was agreed to.

function Invoke-Reboot($p) {
  Assert-Pattern 'boot' $p.boot '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}Z\z'
  Assert-Fence $p.fence
  if ($p.boot -ne (Get-Boot)) { return [ordered]@{ ok = $true; changed = $false; data = [ordered]@{} } }
  # Five seconds, so that this answer still arrives. p:4:1 is a planned change of the configuration, for the event log.
  $r = Start-Program 'shutdown.exe' @('/r', '/f', '/t', '5', '/d', 'p:4:1')
  # 1190: it is to restart already, 1115: it is at it. Who asked before may not have heard the answer.
  if (@(0, 1190, 1115) -notcontains $r.code) { Stop-Request 'SHUTDOWN' "shutdown ($($r.code)): $($r.err)" }
  [ordered]@{ ok = $true; changed = ($r.code -eq 0); data = [ordered]@{} }
}
