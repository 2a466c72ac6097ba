# NetTCPIP and NetAdapter as far as our scripts call them: functions of a module, as Windows' CDXML ones are, with 5.1's parameters.

# What CDXML does when nothing matches: an error if there was a filter, of one property or of several.
function Write-NotFound($Cmdlet, [string]$Class, [string[]]$Filters) {
  if (-not $Filters.Count) { return }
  $id = if ($Filters.Count -eq 1) { "CmdletizationQuery_NotFound_$($Filters[0])" } else { 'CmdletizationQuery_NotFound' }
  $text = "No $Class objects found with property '$($Filters -join ', ')' equal to the given value.  Verify the value of the property and retry."
  $Cmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([Exception]::new($text), $id, 'ObjectNotFound', $Class))
}

function Select-Match($Objects, $Bound, [hashtable]$Filters) {
  foreach ($o in $Objects) {
    $hit = $true
    foreach ($name in $Filters.Keys) { if ($Bound.ContainsKey($name) -and [string]$o.($Filters[$name]) -ne [string]$Bound[$name]) { $hit = $false; break } }
    if ($hit) { $o }
  }
}

function Get-NetRoute {
  [CmdletBinding()] param([Parameter(Position = 0)][string[]]$DestinationPrefix, [uint32[]]$InterfaceIndex, [string[]]$NextHop, [ValidateSet('IPv4', 'IPv6')][string]$AddressFamily, [string]$PolicyStore = 'ActiveStore')
  $all = if ($PolicyStore -eq 'ActiveStore') { [Lab.Machine]::ActiveRoutes() } elseif ($PolicyStore -eq 'PersistentStore') { [Lab.Machine]::SavedRoutes() } else { @() }
  $found = @(foreach ($r in $all) {
      [pscustomobject]@{ DestinationPrefix = $r.Destination; NextHop = $r.NextHop; InterfaceIndex = [uint32]$r.Index; ifIndex = [uint32]$r.Index; InterfaceAlias = $r.Alias; RouteMetric = [uint16]$r.Metric; AddressFamily = 'IPv4'; Store = $r.Store }
    })
  $filters = @{ DestinationPrefix = 'DestinationPrefix'; InterfaceIndex = 'InterfaceIndex'; NextHop = 'NextHop'; AddressFamily = 'AddressFamily' }
  $found = @(Select-Match $found $PSBoundParameters $filters)
  if ($found.Count) { $found } else { Write-NotFound $PSCmdlet 'MSFT_NetRoute' @($filters.Keys | Where-Object { $PSBoundParameters.ContainsKey($_) }) }
}

function New-NetRoute {
  [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
  param([Parameter(Mandatory, Position = 0)][string]$DestinationPrefix, [Parameter(Mandatory)][uint32]$InterfaceIndex, [string]$NextHop = '0.0.0.0', [uint16]$RouteMetric = 256, [string]$PolicyStore)
  try {
    if ($PolicyStore -eq 'PersistentStore') { throw 'The parameter is incorrect.' }
    [Lab.Machine]::AddRoute($DestinationPrefix, $InterfaceIndex, $NextHop, $RouteMetric, $PolicyStore -ne 'ActiveStore')
    Get-NetRoute -DestinationPrefix $DestinationPrefix -NextHop $NextHop
  } catch {
    $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new($_.Exception.GetBaseException(), 'Windows System Error 87', 'InvalidArgument', 'MSFT_NetRoute'))
  }
}

function Remove-NetRoute {
  [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
  param([Parameter(Position = 0)][string[]]$DestinationPrefix, [uint32[]]$InterfaceIndex, [string[]]$NextHop, [string]$PolicyStore)
  $stubborn = [Lab.Machine]::Read().Faults['stubborn']
  $all = @(foreach ($r in @([Lab.Machine]::ActiveRoutes()) + @([Lab.Machine]::SavedRoutes())) { $r })
  $filters = @{ DestinationPrefix = 'Destination'; InterfaceIndex = 'Index'; NextHop = 'NextHop'; PolicyStore = 'Store' }
  $found = @(Select-Match $all $PSBoundParameters $filters)
  if (-not $found.Count) { Write-NotFound $PSCmdlet 'MSFT_NetRoute' @($filters.Keys | Where-Object { $PSBoundParameters.ContainsKey($_) }) }
  foreach ($r in $found) {
    if ($r.Store -eq $stubborn) { continue }
    if ($PSCmdlet.ShouldProcess("$($r.Destination) $($r.NextHop)")) { [Lab.Machine]::RemoveRoute($r) }
  }
}

function Get-NetIPAddress {
  [CmdletBinding()] param([Parameter(Position = 0)][string[]]$IPAddress, [uint32[]]$InterfaceIndex, [ValidateSet('IPv4', 'IPv6')][string]$AddressFamily, [string]$PolicyStore)
  $found = @(foreach ($a in [Lab.Machine]::Addresses()) {
      [pscustomobject]@{ IPAddress = $a.Ip; PrefixLength = [byte]$a.Length; InterfaceIndex = [uint32]$a.Index; ifIndex = [uint32]$a.Index; InterfaceAlias = $a.Alias; AddressFamily = 'IPv4'; AddressState = $a.State; PrefixOrigin = 'Manual' }
    })
  $filters = @{ IPAddress = 'IPAddress'; InterfaceIndex = 'InterfaceIndex'; AddressFamily = 'AddressFamily' }
  $found = @(Select-Match $found $PSBoundParameters $filters)
  if ($found.Count) { $found } else { Write-NotFound $PSCmdlet 'MSFT_NetIPAddress' @($filters.Keys | Where-Object { $PSBoundParameters.ContainsKey($_) }) }
}

function Get-NetIPInterface {
  [CmdletBinding()] param([uint32[]]$InterfaceIndex, [ValidateSet('IPv4', 'IPv6')][string]$AddressFamily, [string]$PolicyStore)
  $found = @(foreach ($i in [Lab.Machine]::Interfaces()) {
      [pscustomobject]@{ InterfaceIndex = [uint32]$i.Index; ifIndex = [uint32]$i.Index; InterfaceAlias = $i.Alias; AddressFamily = 'IPv4'; Forwarding = $(if ($i.Forwarding) { 'Enabled' } else { 'Disabled' }) }
    })
  $filters = @{ InterfaceIndex = 'InterfaceIndex'; AddressFamily = 'AddressFamily' }
  $found = @(Select-Match $found $PSBoundParameters $filters)
  if ($found.Count) { $found } else { Write-NotFound $PSCmdlet 'MSFT_NetIPInterface' @($filters.Keys | Where-Object { $PSBoundParameters.ContainsKey($_) }) }
}

function Set-NetIPInterface {
  [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory)][uint32[]]$InterfaceIndex, [ValidateSet('IPv4', 'IPv6')][string]$AddressFamily, [ValidateSet('Enabled', 'Disabled')][string]$Forwarding)
  foreach ($i in $InterfaceIndex) { [Lab.Machine]::SetForwarding($i, $Forwarding -eq 'Enabled') }
}

function Get-NetAdapter {
  [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Name, [Alias('ifIndex')][uint32[]]$InterfaceIndex, [switch]$IncludeHidden)
  $found = @(foreach ($a in [Lab.Machine]::Adapters()) {
      [pscustomobject]@{ Name = $a.Item1.Name; ifIndex = [uint32]$a.Item1.Index; InterfaceIndex = [uint32]$a.Item1.Index; InterfaceGuid = $a.Item1.Guid; MacAddress = $a.Item2; ComponentID = $a.Item1.Component; Status = 'Up' }
    })
  $filters = @{ Name = 'Name'; InterfaceIndex = 'InterfaceIndex' }
  $found = @(Select-Match $found $PSBoundParameters $filters)
  if ($found.Count) { $found } else { Write-NotFound $PSCmdlet 'MSFT_NetAdapter' @($filters.Keys | Where-Object { $PSBoundParameters.ContainsKey($_) }) }
}

Export-ModuleMember -Function *-Net*, Write-NotFound
