# Adds and removes exactly the routes it is given, in both stores; then reads everything again. What to do was decided elsewhere.

function Assert-Route($Route, $p) {
  Assert-Cidr 'destination' $Route.destination
  Assert-Address 'nextHop' $Route.nextHop
  if ($Route.nextHop -eq '0.0.0.0') { Stop-Request 'REFUSED' "$($Route.destination) is a connected route" }
  if ($Route.destination -eq $p.ownCidr) { Stop-Request 'REFUSED' "$($Route.destination) is this node's own pod CIDR" }
  if (-not (Test-InCidr $Route.destination $p.clusterCidr)) { Stop-Request 'REFUSED' "$($Route.destination) is outside the cluster CIDR" }
  if (Test-InCidr $p.nodeIp $Route.destination) { Stop-Request 'REFUSED' "$($Route.destination) covers this node's own address" }
}

function Get-Left([string]$Destination, [string]$NextHop) {
  foreach ($store in 'ActiveStore', 'PersistentStore') {
    if (@(Get-Found { Get-NetRoute -DestinationPrefix $Destination -NextHop $NextHop -PolicyStore $store -ErrorAction Stop }).Count) { $store }
  }
}

# Takes a route out of both stores. Remove-NetRoute is known to leave one copy behind now and then, hence the three ways.
# Throws the host's own words when it stays.
function Remove-Route([string]$Destination, [string]$NextHop) {
  $said = ''
  try { Remove-NetRoute -DestinationPrefix $Destination -NextHop $NextHop -Confirm:$false -ErrorAction Stop } catch { $said = $_.Exception.Message }
  foreach ($store in @(Get-Left $Destination $NextHop)) {
    try { Remove-NetRoute -DestinationPrefix $Destination -NextHop $NextHop -PolicyStore $store -Confirm:$false -ErrorAction Stop } catch { $said = $_.Exception.Message }
  }
  if (-not @(Get-Left $Destination $NextHop).Count) { return }
  $base, $length = $Destination -split '/'
  $null = Start-Program 'route.exe' @('delete', $base, 'mask', (Get-Mask $length), $NextHop)
  $left = @(Get-Left $Destination $NextHop)
  if ($left.Count) { Stop-Request 'STAYS' "it stays in $($left -join ' and '): $said" }
}

# What has to be done for one route: 'nothing', 'add', 'renew' (half there or on another interface) or 'conflict'.
function Get-Verdict($Held, [string]$NextHop, [int]$IfIndex, $Named) {
  $active = 0; $elsewhere = 0; $saved = 0
  foreach ($x in $Held) {
    if ($x.nextHop -ne $NextHop) { if (-not $Named.ContainsKey("$($x.dest) $($x.nextHop)")) { return 'conflict' } }
    elseif ($x.store -eq 'PersistentStore') { $saved++ }
    elseif ($x.ifIndex -eq $IfIndex) { $active++ } else { $elsewhere++ }
  }
  if ($active -and $saved -and -not $elsewhere) { return 'nothing' }
  if ($active + $saved + $elsewhere) { 'renew' } else { 'add' }
}

function Invoke-SyncRoutes($p) {
  Assert-Address 'nodeIp' $p.nodeIp
  Assert-Cidr 'clusterCidr' $p.clusterCidr
  Assert-Cidr 'ownCidr' $p.ownCidr
  $add = @($p.add | Where-Object { $null -ne $_ }); $remove = @($p.remove | Where-Object { $null -ne $_ })
  foreach ($r in @($add) + @($remove)) { Assert-Route $r $p }
  Assert-Fence $p.fence
  $ifIndex = [int](Get-NodeAdapter $p.nodeIp).ifIndex
  $actions = @(); $conflicts = @(); $errors = @(); $held = @{}; $named = @{}
  foreach ($x in @(Get-RouteTable)) { $held[$x.dest] = @($held[$x.dest] | Where-Object { $_ }) + $x }
  foreach ($r in $remove) { $named["$($r.destination) $($r.nextHop)"] = $true }

  # Adds first: a route whose next hop changes is never absent, since Windows keeps both for the moment.
  foreach ($r in $add) {
    $verdict = Get-Verdict @($held[$r.destination] | Where-Object { $_ }) $r.nextHop $ifIndex $named
    if ($verdict -eq 'nothing') { continue }
    if ($verdict -eq 'conflict') {
      $conflicts += @($held[$r.destination] | Where-Object { $_.nextHop -ne $r.nextHop -and -not $named.ContainsKey("$($_.dest) $($_.nextHop)") } |
          ForEach-Object { "$($_.dest) via $($_.nextHop) on interface $($_.ifIndex), $($_.store)" })
      continue
    }
    try {
      # Windows offers no way to fill the one missing store.
      if ($verdict -eq 'renew') { Remove-Route $r.destination $r.nextHop }
      $null = New-NetRoute -DestinationPrefix $r.destination -InterfaceIndex $ifIndex -NextHop $r.nextHop -ErrorAction Stop
      $actions += "$verdict $($r.destination) via $($r.nextHop) on interface $ifIndex"
    } catch {
      # The code decides nothing (87 means "exists" as well as "invalid"): what is read below does.
      $errors += "$($r.destination) via $($r.nextHop): $($_.Exception.Message) [$($_.FullyQualifiedErrorId)]"
    }
  }
  foreach ($r in $remove) {
    if (-not @($held[$r.destination] | Where-Object { $_ -and $_.nextHop -eq $r.nextHop }).Count) { continue }
    if (@($add | Where-Object { $_.destination -eq $r.destination -and $_.nextHop -eq $r.nextHop }).Count) { continue }
    try {
      Remove-Route $r.destination $r.nextHop
      $actions += "remove $($r.destination) via $($r.nextHop)"
    } catch { $errors += "$($r.destination) via $($r.nextHop): $($_.Exception.Message) [$($_.FullyQualifiedErrorId)]" }
  }

  $data = Get-HostState $p.nodeIp
  $data['actions'] = @($actions); $data['conflicts'] = @($conflicts); $data['errors'] = @($errors)
  [ordered]@{ ok = $true; changed = ($actions.Count -gt 0); data = $data }
}
