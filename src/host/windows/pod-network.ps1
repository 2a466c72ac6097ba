# Docker's transparent network on the container NIC, or its removal. Docker makes a virtual switch of the NIC, which may cut connections:
# ask for it by way of provision.

# Refuses when the network of that name is another one than asked for.
function Assert-SameNetwork($Network, $p) {
  $other = @()
  if ($Network.driver -ne 'transparent') { $other += "driver $($Network.driver)" }
  if ($Network.subnet -ne $p.podCidr) { $other += "subnet $($Network.subnet)" }
  if ($Network.gateway -ne $p.podGateway) { $other += "gateway $($Network.gateway)" }
  if ($other.Count) { Stop-Request 'CONFLICT' "the docker network $($p.network) exists, with $($other -join ', ')" }
}

# Windows may lose the static addresses of a NIC that a virtual switch takes, or gives back (kubernetes-sigs/sig-windows-tools#162). They are
# written down before, and put back after: by the next request, should this one not live to do it.
function Get-KeptPath { [IO.Path]::Combine((Get-StateFolder), 'pod-network.addresses') }

function Save-Addresses($p) {
  $indexes = @(Get-Found { Get-NetAdapter -ErrorAction Stop } | Where-Object { $_.MacAddress -eq $p.containerNic } | ForEach-Object { $_.ifIndex })
  $kept = @(Get-Found { Get-NetIPAddress -AddressFamily IPv4 -PolicyStore ActiveStore -ErrorAction Stop } | Where-Object {
      $indexes -contains $_.InterfaceIndex -and [string]$_.PrefixOrigin -eq 'Manual' -and $_.IPAddress -ne $p.podGateway
    } | ForEach-Object { "$($_.IPAddress)/$($_.PrefixLength)" })
  if ([IO.File]::Exists((Get-KeptPath))) { $kept += @([IO.File]::ReadAllText((Get-KeptPath)) -split "`n" | Where-Object { $kept -notcontains $_ }) }
  if ($kept.Count) { Write-Whole (Get-KeptPath) ($kept -join "`n") }
}

# True when one had been lost.
function Restore-Addresses($p) {
  $path = Get-KeptPath; $restored = $false
  if (-not [IO.File]::Exists($path)) { return $false }
  foreach ($kept in @([IO.File]::ReadAllText($path) -split "`n")) {
    $address, $length = $kept -split '/'
    if (@(Get-AddressTable | Where-Object { $_.address -eq $address }).Count) { continue }
    $nic = @()
    # The network's adapter comes up some seconds after it; without the network it is the NIC's again.
    foreach ($i in 1..20) {
      $nic = @(if ($p.ensure) { Get-PodAdapter $p.containerNic } else { Get-Found { Get-NetAdapter -ErrorAction Stop } | Where-Object { $_.MacAddress -eq $p.containerNic } })
      if ($nic.Count) { break }
      Start-Sleep -Milliseconds 500
    }
    if ($nic.Count -ne 1) { Stop-Request 'POD-NIC' "$($nic.Count) adapters carry the MAC $($p.containerNic); its address $kept is to be put back" }
    $r = Start-Program 'netsh.exe' @('interface', 'ipv4', 'add', 'address', "name=$($nic[0].ifIndex)", "address=$address", "mask=$(Get-Mask $length)", 'store=persistent')
    if (-not @(Get-AddressTable | Where-Object { $_.address -eq $address }).Count) { Stop-Request 'NETSH' "the NIC lost its address $kept; netsh add address ($($r.code)): $($r.err)" }
    $restored = $true
  }
  [IO.File]::Delete($path)
  $restored
}

function Invoke-PodNetwork($p) {
  Assert-Name 'network' $p.network
  Assert-Cidr 'podCidr' $p.podCidr
  Assert-Address 'podGateway' $p.podGateway
  Assert-Address 'nodeIp' $p.nodeIp
  Assert-Mac 'containerNic' $p.containerNic
  Assert-Flag 'ensure' $p.ensure
  Assert-Fence $p.fence
  Assert-Docker
  $all = @(Get-DockerNetworks)
  $mine = @($all | Where-Object { $_.name -eq $p.network })
  if ($mine.Count) { Assert-SameNetwork $mine[0] $p }
  if ([bool]$mine.Count -eq $p.ensure) {
    $changed = Restore-Addresses $p
    return [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ network = $(if ($mine.Count) { $mine[0] } else { $null }) } }
  }
  $r = if ($p.ensure) { New-PodNetwork $p $all } else { Remove-PodNetwork $p }

  $mine = @(Get-DockerNetworks | Where-Object { $_.name -eq $p.network })
  if ([bool]$mine.Count -ne $p.ensure) { Stop-Request 'DOCKER' "docker network ($($r.code)): $($r.err)" }
  if ($mine.Count) { Assert-SameNetwork $mine[0] $p }
  $null = Restore-Addresses $p
  [ordered]@{ ok = $true; changed = $true; data = [ordered]@{ network = $(if ($mine.Count) { $mine[0] } else { $null }) } }
}

function New-PodNetwork($p, $All) {
  $other = @($All | Where-Object { $_.driver -eq 'transparent' })
  if ($other.Count) { Stop-Request 'CONFLICT' "the transparent network $($other[0].name) exists, and each needs a NIC of its own" }
  $node = Get-NodeAdapter $p.nodeIp
  $nic = @(Get-Found { Get-NetAdapter -ErrorAction Stop } | Where-Object { $_.ComponentID -ne 'vms_mp' -and $_.MacAddress -eq $p.containerNic })
  if ($nic.Count -ne 1) { Stop-Request 'NIC' "the container NIC $($p.containerNic) matches $($nic.Count) adapters" }
  $uses = @(Get-NicUses $nic[0] $node @(Get-AddressTable) @(Get-RouteTable))
  if ($uses.Count) { Stop-Request 'NIC' "$($nic[0].Name) can't become the container NIC: $($uses -join ', ')" }
  # Bound by name: left to itself, HNS may take the NIC that carries this session.
  Save-Addresses $p
  Start-Program 'docker.exe' @('network', 'create', '-d', 'transparent', '--subnet', $p.podCidr, '--gateway', $p.podGateway,
    '-o', "com.docker.network.windowsshim.interface=$($nic[0].Name)", $p.network)
}

function Remove-PodNetwork($p) {
  $used = Start-Program 'docker.exe' @('ps', '--quiet', '--filter', "network=$($p.network)")
  if ($used.code -ne 0) { Stop-Request 'DOCKER' "docker ps ($($used.code)): $($used.err)" }
  $count = @($used.out -split '\s+' | Where-Object { $_ }).Count
  if ($count) { Stop-Request 'IN-USE' "$count containers are on the docker network $($p.network)" }
  Save-Addresses $p
  Start-Program 'docker.exe' @('network', 'rm', $p.network)
}
