# Routing and Remote Access, set up as a router and nothing else, or what Fairway made of it undone.
# Windows may want a restart before a feature works: what can be done before it is done then, and the answer is the failure REBOOT.

# By name, the state of the features that it takes. Server Manager says nothing of a name that it does not know.
function Get-RoutingFeatures {
  if (-not (Test-Cmdlet 'Get-WindowsFeature')) { Stop-Request 'FEATURE' "Server Manager's cmdlets are missing: this Windows is no server" }
  $names = 'RemoteAccess', 'Routing', 'RSAT-RemoteAccess-PowerShell'
  $states = [ordered]@{}
  foreach ($f in @(Get-WindowsFeature -Name $names -ErrorAction Stop)) { $states[[string]$f.Name] = [string]$f.InstallState }
  $unknown = @($names | Where-Object { -not $states[$_] })
  if ($unknown.Count) { Stop-Request 'FEATURE' "this Windows has no feature $($unknown -join ', ')" }
  $states
}

function Select-Feature($Features, [string[]]$States) { @($Features.Keys | Where-Object { $States -contains $Features[$_] }) }

# What Fairway installed here, since nothing else is its to take away; and in which uptime Windows asked for a restart.
function Get-RoutingRecord {
  $path = Get-StatePath 'routing-service.json'
  if ([IO.File]::Exists($path)) { [IO.File]::ReadAllText($path) | ConvertFrom-Json } else { $null }
}
function Save-RoutingRecord([string[]]$More, [bool]$WantsRestart) {
  $record = [ordered]@{ features = @(); restart = '' }
  $old = Get-RoutingRecord
  if ($old) { $record.features = @($old.features); $record.restart = [string]$old.restart }
  foreach ($name in $More) { if ($record.features -notcontains $name) { $record.features += $name } }
  if ($WantsRestart) { $record.restart = Get-Boot }
  $null = Get-StateFolder
  Write-Whole (Get-StatePath 'routing-service.json') (ConvertTo-Json -Compress -InputObject $record)
}

# Whether what was installed, or taken away, takes a restart that has not been.
function Test-RebootPending($Features, $Record) {
  if ($Features -and @(Select-Feature $Features @('InstallPending', 'UninstallPending')).Count) { return $true }
  $Record -and $Record.restart -and $Record.restart -eq (Get-Boot)
}

# What it is set up for. VPN is whatever undoing would take away beside the router, since that can't be undone alone.
# Where its cmdlet can't say, a service that runs or would is taken for somebody's.
function Get-RoutingSetup {
  $setup = $null
  if (Test-Cmdlet 'Get-RemoteAccess') { $setup = Get-OrNull { Get-RemoteAccess -ErrorAction Stop } }
  if ($setup) {
    $isVpn = @([string]$setup.VpnStatus, [string]$setup.VpnS2SStatus, [string]$setup.SstpProxyStatus, [string]$setup.DAStatus) -contains 'Installed'
    return [ordered]@{ isRouter = ([string]$setup.RoutingStatus -eq 'Installed'); isVpn = $isVpn }
  }
  $service = Get-ServiceState 'RemoteAccess'
  [ordered]@{ isRouter = $false; isVpn = [bool]($service -and ($service.runs -or $service.atBoot)) }
}

# Null while it is set up for nothing, and nothing of it is Fairway's.
function Get-RoutingState($Features, $Record) {
  $setup = Get-RoutingSetup
  $mine = $Record -and $Features -and @('Installed', 'InstallPending') -contains $Features['Routing']
  if (-not $setup.isRouter -and -not $setup.isVpn -and -not $mine) { return $null }
  $service = Get-ServiceState 'RemoteAccess'
  [ordered]@{ runs = [bool]($service -and $service.runs); atBoot = [bool]($service -and $service.atBoot); isRouter = $setup.isRouter; isVpn = $setup.isVpn }
}

# What the cmdlet says when it fails. It decides nothing: what is read afterwards does.
function Get-Words([scriptblock]$Work) { try { $null = & $Work; 'without a word' } catch { $_.Exception.Message } }

function Install-RoutingFeatures {
  $missing = @(Select-Feature (Get-RoutingFeatures) @('Available', 'Removed', 'UninstallPending'))
  $said = ''
  if ($missing.Count) {
    Save-RoutingRecord $missing $false
    $said = Get-Words {
      $r = Install-WindowsFeature -Name $missing -ErrorAction Stop
      if ([string]$r.RestartNeeded -ne 'No') { Save-RoutingRecord @() $true }
    }
  }
  $features = Get-RoutingFeatures
  if (Test-RebootPending $features (Get-RoutingRecord)) { Stop-Request 'REBOOT' 'Windows has to restart before Routing and Remote Access works' }
  $left = @(Select-Feature $features @('Available', 'Removed'))
  if ($left.Count) { Stop-Request 'FEATURE' "$($left -join ', ') did not get installed: $said" }
  $missing.Count -gt 0
}

function Install-RoutingService {
  $changed = Install-RoutingFeatures
  $said = @()
  if (-not (Get-RoutingSetup).isRouter) {
    Save-RoutingRecord @() $false
    $said += Get-Words { Install-RemoteAccess -VpnType RoutingOnly -ErrorAction Stop }
    $changed = $true
  }
  # Right after its setup the service is known to fail to start now and then.
  foreach ($i in 1..3) {
    $service = Get-ServiceState 'RemoteAccess'
    if (-not $service -or ($service.runs -and $service.atBoot)) { break }
    $said += Get-Words {
      Set-Service -Name RemoteAccess -StartupType Automatic -ErrorAction Stop
      Start-Service -Name RemoteAccess -ErrorAction Stop
    }
    $changed = $true
    if (-not (Get-ServiceState 'RemoteAccess').runs) { Start-Sleep -Milliseconds 1000 }
  }
  $now = Get-RoutingState (Get-RoutingFeatures) (Get-RoutingRecord)
  if (-not ($now -and $now.isRouter -and $now.runs -and $now.atBoot)) { Stop-Request 'ROUTING' "Routing and Remote Access does not work as a router: $($said -join '; ')" }
  $changed
}

function Uninstall-RoutingService {
  $record = Get-RoutingRecord
  if (-not $record) { return $false }
  if ((Get-RoutingSetup).isRouter) {
    # Its -VpnType knows no router: without it all goes, and Invoke-RoutingService has seen that there is nothing else.
    $said = Get-Words { Uninstall-RemoteAccess -Force -ErrorAction Stop }
    if ((Get-RoutingSetup).isRouter) { Stop-Request 'ROUTING' "Routing and Remote Access stays set up: $said" }
  }
  $there = 'Installed', 'InstallPending'
  $mine = @(Select-Feature (Get-RoutingFeatures) $there | Where-Object { @($record.features) -contains $_ })
  if ($mine.Count) {
    $said = Get-Words { Uninstall-WindowsFeature -Name $mine -Confirm:$false -ErrorAction Stop }
    $features = Get-RoutingFeatures
    $left = @($mine | Where-Object { $there -contains $features[$_] })
    if ($left.Count -and (Test-RebootPending $features $record)) { Stop-Request 'REBOOT' "Windows has to restart before $($left -join ', ') can be taken away" }
    if ($left.Count) { Stop-Request 'FEATURE' "$($left -join ', ') stays: $said" }
  }
  [IO.File]::Delete((Get-StatePath 'routing-service.json'))
  $true
}

function Invoke-RoutingService($p) {
  Assert-Flag 'ensure' $p.ensure
  Assert-Fence $p.fence
  if ((Get-RoutingSetup).isVpn) { Stop-Request 'CONFLICT' 'Remote Access is in use here, for VPN or DirectAccess' }
  $changed = if ($p.ensure) { Install-RoutingService } else { Uninstall-RoutingService }
  $pending = [bool](Test-RebootPending (Get-RoutingFeatures) (Get-RoutingRecord))
  [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ rebootPending = $pending } }
}
