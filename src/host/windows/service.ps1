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

# The names of the services that depend on it and run.
function Get-RunningDependents([string]$Name) {
  @(Get-ComponentService $Name)[0].DependentServices | ForEach-Object { $_.Name } | Where-Object { [string]@(Get-ComponentService $_)[0].Status -ne 'Stopped' }
}

# Starts what depends on the service and starts with Windows: stopping the service took it along, maybe long ago. $But stays as it is.
# Gives the words of those that did not start.
function Start-Dependents([string]$Name, [string[]]$But) {
  foreach ($other in @(@(Get-ComponentService $Name)[0].DependentServices | ForEach-Object { $_.Name } | Where-Object { $But -notcontains $_ })) {
    $service = @(Get-ComponentService $other)[0]
    if ([string]$service.StartType -ne 'Automatic' -or [string]$service.Status -ne 'Stopped') { continue }
    try { Start-Service -Name $other -ErrorAction Stop } catch { "$other, which depends on $Name, does not start: $($_.Exception.Message)" }
  }
}

# Waits for what runs as these services: nssm starts its child a moment after the service. What does not come is told by what is read then.
function Wait-Processes([string[]]$Names) {
  foreach ($i in 1..40) {
    $now = Get-ComponentProcesses
    if (-not @($Names | Where-Object { $now.Contains($_) -and -not $now[$_] }).Count) { return }
    Start-Sleep -Milliseconds 250
  }
}

# Waits until it is so. Whatever was said of it, what runs decides. nssm starts its child a moment after the service.
function Wait-Outcome($p, $Before, [string]$Said) {
  $look = { $now = (Get-ComponentProcesses)[$p.component]; if ($now -and ($p.action -eq 'start' -or -not (Test-SameProcess $now $Before))) { $now } }
  if ($p.action -eq 'stop') {
    foreach ($i in 1..$(if ($Said) { 1 } else { 40 })) {
      if (-not (Get-ComponentProcesses)[$p.component]) { return }
      Start-Sleep -Milliseconds 250
    }
  } elseif (-not $Said -or (& $look)) {
    $stable = Wait-StableProcess $look ($p.action -ne 'start' -or -not $Before) ([int]$p.stayMs)
    if ($stable) { return $stable }
    if (-not (Test-SameProcess (Get-ComponentProcesses)[$p.component] $Before)) { Stop-Unstable $p.component }
  }
  Stop-Request 'SERVICE' "$($p.action) of $($p.component) did not do it: $(if ($Said) { $Said } else { 'without a word' })"
}

function Invoke-Service($p) {
  Assert-Address 'nodeIp' $p.nodeIp
  Assert-Component $p.component
  Assert-Pattern 'action' $p.action '^(start|stop|restart)\z'
  Assert-Pattern 'stayMs' ([string]$p.stayMs) '^[0-9]{1,5}\z'
  $stayDown = @($p.stayDown | Where-Object { $null -ne $_ })
  foreach ($name in $stayDown) { Assert-Component $name }
  Assert-Fence $p.fence
  $isService = [bool]@(Get-ComponentService $p.component).Count
  if (-not $isService -and -not @(Get-Found { Get-ScheduledTask -TaskName $p.component -ErrorAction Stop }).Count) {
    Stop-Request 'NO-SERVICE' "there is no service and no scheduled task $($p.component)"
  }
  $before = (Get-ComponentProcesses)[$p.component]
  $ran = @(if ($isService) { Get-RunningDependents $p.component })
  $said = ''; $left = @()
  try {
    if ($isService) { Set-ComponentService $p.component $p.action } else { Set-ComponentTask $p.component $p.action }
  } catch { $said = $_.Exception.Message }
  if ($isService -and -not $said -and $p.action -ne 'stop') { $left = @(Start-Dependents $p.component $stayDown) }
  $now = Wait-Outcome $p $before $said
  if ($left.Count) { Stop-Request 'SERVICE' ($left -join '; ') }
  $runs = @(if ($isService) { Get-RunningDependents $p.component })
  if ($p.action -ne 'stop' -and $runs.Count) { Wait-Processes $runs }
  $data = Get-ProbeData $p.nodeIp
  # A restart brings back those that ran.
  $data['along'] = @(if ($p.action -eq 'stop') { $ran | Where-Object { $runs -notcontains $_ } } else { $runs | Where-Object { $p.action -eq 'restart' -or $ran -notcontains $_ } })
  [ordered]@{ ok = $true; changed = -not (Test-SameProcess $now $before); data = $data }
}
