# Forwarding of the routable NIC, on or off. It is what makes Windows a router; RRAS is one more way of turning it on.
function Invoke-Forwarding($p) {
  Assert-Address 'nodeIp' $p.nodeIp
  Assert-Flag 'enabled' $p.enabled
  Assert-Fence $p.fence
  $ifIndex = [int](Get-NodeAdapter $p.nodeIp).ifIndex
  $changed = Set-Forwarding $ifIndex $p.enabled
  [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ ifIndex = $ifIndex; forwarding = (Get-Forwarding $ifIndex) } }
}
