# RemoteAccess as far as our scripts call it. On Windows it comes with the feature RSAT-RemoteAccess-PowerShell.

function Get-RemoteAccess {
  [CmdletBinding()] param()
  $set = [Lab.Features]::RemoteAccess
  $named = { param($on) if ($on) { 'Installed' } else { 'Uninstalled' } }
  [pscustomobject]@{ DAStatus = 'Uninstalled'; VpnStatus = (& $named ($set -eq 'Vpn')); RoutingStatus = (& $named ($set -eq 'RoutingOnly')) }
}

function Install-RemoteAccess {
  [CmdletBinding()] param([Parameter(Mandatory)][ValidateSet('Vpn', 'VpnS2S', 'SstpProxy', 'RoutingOnly')][string]$VpnType)
  [Lab.Features]::RemoteAccess = $VpnType
  # The service is known not to start by itself at times.
  $fault = [Lab.Machine]::Read().Faults['remote-access']
  [Lab.Features]::SetService('RemoteAccess', -not $fault, $(if ($fault) { 3 } else { 2 }))
}

function Uninstall-RemoteAccess {
  [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param([string]$VpnType, [switch]$Force)
  [Lab.Features]::RemoteAccess = ''
  [Lab.Features]::SetService('RemoteAccess', $false, 4)
}

Export-ModuleMember -Function *-RemoteAccess
