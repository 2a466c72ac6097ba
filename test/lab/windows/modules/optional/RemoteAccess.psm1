# RemoteAccess as far as our scripts call it. On Windows it comes with the feature RSAT-RemoteAccess-PowerShell.

function Get-RemoteAccess {
  [CmdletBinding()] param()
  $set = [Lab.Features]::RemoteAccess
  $named = { param($on) if ($on) { 'Installed' } else { 'Uninstalled' } }
  [pscustomobject]@{
    DAStatus        = 'Uninstalled'
    VpnStatus       = (& $named ($set -eq 'Vpn'))
    VpnS2SStatus    = (& $named ($set -eq 'VpnS2S'))
    SstpProxyStatus = (& $named ($set -eq 'SstpProxy'))
    # Site-to-site VPN comes with routing.
    RoutingStatus   = (& $named ($set -eq 'RoutingOnly' -or $set -eq 'VpnS2S'))
  }
}

function Install-RemoteAccess {
  [CmdletBinding()] param([Parameter(Mandatory)][ValidateSet('Vpn', 'VpnS2S', 'SstpProxy', 'RoutingOnly')][string]$VpnType)
  [Lab.Features]::RemoteAccess = $VpnType
  # The service is known not to start by itself at times.
  $fault = [Lab.Machine]::Read().Faults['remote-access']
  [Lab.Features]::SetService('RemoteAccess', -not $fault, $(if ($fault) { 3 } else { 2 }))
}

function Uninstall-RemoteAccess {
  [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param([ValidateSet('Vpn', 'VpnS2S')][string]$VpnType, [switch]$Force)
  if ($VpnType -and $VpnType -ne [Lab.Features]::RemoteAccess) { return }
  [Lab.Features]::RemoteAccess = ''
  [Lab.Features]::SetService('RemoteAccess', $false, 4)
}

Export-ModuleMember -Function *-RemoteAccess
