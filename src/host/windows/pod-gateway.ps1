# The pod gateway's address on the container network's host adapter, and forwarding there.

function Get-GatewayState([int]$IfIndex, [string]$Gateway) {
  $a = @(Get-Found { Get-NetIPAddress -InterfaceIndex $IfIndex -AddressFamily IPv4 -IPAddress $Gateway -PolicyStore ActiveStore -ErrorAction Stop })
  if ($a.Count) { [string]$a[0].AddressState } else { '' }
}

# With the mask: netsh's default one is classful. An address here with another mask is replaced. netsh's set takes away all other addresses,
# so beside one that the NIC brought along (pod-network.ps1) it is added.
function Set-GatewayAddress([int]$IfIndex, $p, [bool]$IsHere) {
  $address = @("name=$IfIndex", "address=$($p.podGateway)", "mask=$(Get-Mask $p.podPrefixLength)")
  $all = @(Get-Found { Get-NetIPAddress -InterfaceIndex $IfIndex -AddressFamily IPv4 -PolicyStore ActiveStore -ErrorAction Stop })
  if (-not @($all | Where-Object { [string]$_.PrefixOrigin -eq 'Manual' -and $_.IPAddress -ne $p.podGateway }).Count) {
    return (Start-Program 'netsh.exe' (@('interface', 'ipv4', 'set', 'address', $address[0], 'source=static') + $address[1..2] + @('gateway=none', 'store=persistent')))
  }
  if ($IsHere) { $null = Start-Program 'netsh.exe' @('interface', 'ipv4', 'delete', 'address', $address[0], $address[1]) }
  Start-Program 'netsh.exe' (@('interface', 'ipv4', 'add', 'address') + $address + @('store=persistent'))
}

function Invoke-PodGateway($p) {
  Assert-Mac 'containerNic' $p.containerNic
  Assert-Address 'podGateway' $p.podGateway
  Assert-Pattern 'podPrefixLength' ([string]$p.podPrefixLength) '^([89]|[12][0-9]|30)\z'
  Assert-Flag 'ensure' $p.ensure
  Assert-Fence $p.fence

  $nic = @(Get-PodAdapter $p.containerNic)
  # The adapter comes up some seconds after its network.
  foreach ($i in 1..10) { if ($nic.Count -or -not $p.ensure) { break }; Start-Sleep -Milliseconds 500; $nic = @(Get-PodAdapter $p.containerNic) }
  if (-not $p.ensure -and -not $nic.Count) {
    return [ordered]@{ ok = $true; changed = $false; data = [ordered]@{ ifIndex = $null; alias = $null; state = ''; forwarding = $null } }
  }
  if ($nic.Count -ne 1) { Stop-Request 'POD-NIC' "$($nic.Count) host adapters carry the MAC $($p.containerNic)" }
  $ifIndex = [int]$nic[0].ifIndex

  $held = @(Get-Found { Get-NetIPAddress -AddressFamily IPv4 -IPAddress $p.podGateway -PolicyStore ActiveStore -ErrorAction Stop })
  $here = @($held | Where-Object { $_.InterfaceIndex -eq $ifIndex })
  $changed = $false; $state = ''
  if ($p.ensure) {
    if ($held.Count -gt $here.Count) {
      Stop-Request 'CONFLICT' "$($p.podGateway) is already on $(@($held | Where-Object { $_.InterfaceIndex -ne $ifIndex })[0].InterfaceAlias)"
    }
    if (-not @($here | Where-Object { $_.PrefixLength -eq $p.podPrefixLength }).Count) {
      $r = Set-GatewayAddress $ifIndex $p @($here).Count
      if ($r.code -ne 0) { Stop-Request 'NETSH' "netsh address ($($r.code)): $($r.err)" }
      $changed = $true
    }
    foreach ($i in 1..40) {                    # Windows asks the wire whether the address is free: Tentative, then Preferred or Duplicate
      $state = Get-GatewayState $ifIndex $p.podGateway
      if ($state -eq 'Preferred' -or $state -eq 'Duplicate') { break }
      Start-Sleep -Milliseconds 250
    }
    if ($state -eq 'Duplicate') { Stop-Request 'DUPLICATE' "another host on the container network owns $($p.podGateway)" }
    if ($state -ne 'Preferred') { Stop-Request 'ADDRESS' "$($p.podGateway) does not come up (state '$state')" }
    if (Set-Forwarding $ifIndex $true) { $changed = $true }
  } elseif ($here.Count) {
    $r = Start-Program 'netsh.exe' @('interface', 'ipv4', 'delete', 'address', "name=$ifIndex", "address=$($p.podGateway)")
    $state = Get-GatewayState $ifIndex $p.podGateway
    if ($state) { Stop-Request 'NETSH' "netsh delete address ($($r.code)): $($r.err)" }
    $changed = $true
  }
  [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ ifIndex = $ifIndex; alias = [string]$nic[0].Name; state = $state; forwarding = (Get-Forwarding $ifIndex) } }
}
