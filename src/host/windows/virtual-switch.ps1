# Hyper-V's internal switch, on whose host adapter kube-proxy puts the service addresses; or its removal. No NIC is touched.

# The switch of that name; null when there is none. Hyper-V takes a name twice, and another type is somebody else's.
function Get-NamedSwitch([string]$Name) {
  $found = @(Get-VMSwitch -ErrorAction Stop | Where-Object { $_.Name -eq $Name })
  if ($found.Count -gt 1) { Stop-Request 'CONFLICT' "$($found.Count) virtual switches are named $Name" }
  if (-not $found.Count) { return $null }
  if ([string]$found[0].SwitchType -ne 'Internal') { Stop-Request 'CONFLICT' "the virtual switch $Name exists, and is $($found[0].SwitchType)" }
  $found[0]
}

function Get-SwitchAdapter([string]$Name) { @(Get-Found { Get-NetAdapter -Name "vEthernet ($Name)" -ErrorAction Stop }) }

function Invoke-VirtualSwitch($p) {
  Assert-Name 'name' $p.name
  Assert-Flag 'ensure' $p.ensure
  Assert-Fence $p.fence
  if (-not (Test-Cmdlet 'Get-VMSwitch')) { Stop-Request 'HYPER-V' "Hyper-V's cmdlets are missing: Install-WindowsFeature Hyper-V-PowerShell" }

  $said = ''
  $changed = [bool](Get-NamedSwitch $p.name) -ne $p.ensure
  if ($changed -and $p.ensure) { $said = Get-Words { New-VMSwitch -Name $p.name -SwitchType Internal -ErrorAction Stop } }
  elseif ($changed) { $said = Get-Words { Remove-VMSwitch -Name $p.name -Force -ErrorAction Stop } }
  if ([bool](Get-NamedSwitch $p.name) -ne $p.ensure) { Stop-Request 'SWITCH' "the virtual switch $($p.name) $(if ($p.ensure) { 'was not made' } else { 'stays' }): $said" }
  if (-not $p.ensure) { return [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ alias = $null; ifIndex = $null } } }

  # Its adapter comes up a moment later.
  $nic = @(Get-SwitchAdapter $p.name)
  foreach ($i in 1..20) { if ($nic.Count) { break }; Start-Sleep -Milliseconds 500; $nic = @(Get-SwitchAdapter $p.name) }
  if ($nic.Count -ne 1) { Stop-Request 'SWITCH' "the virtual switch $($p.name) has no adapter vEthernet ($($p.name))" }
  [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ alias = [string]$nic[0].Name; ifIndex = [int]$nic[0].ifIndex } }
}
