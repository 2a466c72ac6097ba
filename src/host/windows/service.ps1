# Starts, stops or restarts kubelet or kube-proxy: the service of that name, or else the scheduled task; then looks again.

function Get-ComponentService([string]$Name) {
  try { Get-Service -Name $Name -ErrorAction Stop } catch { if ([string]$_.FullyQualifiedErrorId -notlike 'NoServiceFoundForGivenName,*') { throw } }
}

function Set-ComponentService([string]$Name, [string]$Action) {
  # Forced, since kube-proxy may depend on kubelet: it is taken along, and a restart brings it back.
  if ($Action -eq 'start') { Start-Service -Name $Name -ErrorAction Stop }
  elseif ($Action -eq 'stop') { Stop-Service -Name $Name -Force -ErrorAction Stop }
  else { Restart-Service -Name $Name -Force -ErrorAction Stop }
}

# A task that is stopped may leave behind what its wrapper started; that would keep the new one from its ports.
function Set-ComponentTask([string]$Name, [string]$Action) {
  if ($Action -ne 'start') {
    $before = (Get-ComponentProcesses)[$Name]
    Stop-ScheduledTask -TaskName $Name -ErrorAction Stop
    foreach ($i in 1..8) {
      $left = (Get-ComponentProcesses)[$Name]
      if (-not $before -or -not (Test-SameProcess $left $before)) { break }
      if ($i -eq 4) { Stop-Process -Id $left.pid -Force -ErrorAction Stop }
      Start-Sleep -Milliseconds 500
    }
  }
  if ($Action -ne 'stop') { Start-ScheduledTask -TaskName $Name -ErrorAction Stop }
}

function Test-SameProcess($A, $B) { $A -and $B -and $A.pid -eq $B.pid -and $A.started -eq $B.started }

function Test-Outcome([string]$Action, $Before, $Now) {
  if ($Action -eq 'stop') { return -not $Now }
  [bool]$Now -and ($Action -eq 'start' -or -not (Test-SameProcess $Now $Before))
}

function Invoke-Service($p) {
  Assert-Address 'nodeIp' $p.nodeIp
  Assert-Component $p.component
  Assert-Pattern 'action' $p.action '^(start|stop|restart)\z'
  Assert-Fence $p.fence
  $isService = [bool]@(Get-ComponentService $p.component).Count
  if (-not $isService -and -not @(Get-Found { Get-ScheduledTask -TaskName $p.component -ErrorAction Stop }).Count) {
    Stop-Request 'NO-SERVICE' "there is no service and no scheduled task $($p.component)"
  }
  $before = (Get-ComponentProcesses)[$p.component]
  $said = 'without a word'; $tries = 40
  try {
    if ($isService) { Set-ComponentService $p.component $p.action } else { Set-ComponentTask $p.component $p.action }
  } catch { $said = $_.Exception.Message; $tries = 1 }
  # Whatever it says, what runs decides. nssm starts its child a moment after the service.
  foreach ($i in 1..$tries) {
    $now = (Get-ComponentProcesses)[$p.component]
    if (Test-Outcome $p.action $before $now) {
      return [ordered]@{ ok = $true; changed = -not (Test-SameProcess $now $before); data = (Get-ProbeData $p.nodeIp) }
    }
    Start-Sleep -Milliseconds 250
  }
  Stop-Request 'SERVICE' "$($p.action) of $($p.component) did not do it: $said"
}
