# What the host holds: routes of both stores, addresses, forwarding; with full also its NICs, docker's transparent networks, and what the machine itself is.

# Every IPv4 route of both stores that Fairway could care about: no host routes, multicast, link-local or loopback.
function Get-RouteTable {
  foreach ($store in 'ActiveStore', 'PersistentStore') {
    foreach ($r in @(Get-Found { Get-NetRoute -AddressFamily IPv4 -PolicyStore $store -ErrorAction Stop })) {
      $dest = [string]$r.DestinationPrefix
      if ($dest -match '/32\z|^(22[4-9]|23[0-9]|127)\.|^169\.254\.') { continue }
      [pscustomobject]@{ store = $store; dest = $dest; nextHop = [string]$r.NextHop; ifIndex = [int]$r.InterfaceIndex; metric = [int]$r.RouteMetric }
    }
  }
}

function Get-AddressTable {
  foreach ($a in @(Get-Found { Get-NetIPAddress -AddressFamily IPv4 -PolicyStore ActiveStore -ErrorAction Stop })) {
    [pscustomobject]@{ address = [string]$a.IPAddress; prefixLength = [int]$a.PrefixLength; ifIndex = [int]$a.InterfaceIndex; alias = [string]$a.InterfaceAlias }
  }
}

# Why a NIC can't be given to the container network. Empty: it can.
function Get-NicUses($Nic, $Node, $Addresses, $Routes) {
  # Once a virtual switch sits on the routable NIC, the address is on a host adapter that shares its MAC.
  if ($Node -and ($Nic.ifIndex -eq $Node.ifIndex -or $Nic.MacAddress -eq $Node.MacAddress)) { "it carries the node's address" }
  $ssh = if ($env:SSH_CONNECTION) { ($env:SSH_CONNECTION -split ' ')[2] } else { $null }
  if ($ssh -and @($Addresses | Where-Object { $_.ifIndex -eq $Nic.ifIndex -and $_.address -eq $ssh }).Count) { 'it carries this SSH session' }
  if (@($Routes | Where-Object { $_.ifIndex -eq $Nic.ifIndex -and $_.dest -eq '0.0.0.0/0' -and $_.store -eq 'ActiveStore' }).Count) { 'it holds a default route' }
  if ($Nic.ComponentID -eq 'vms_mp') { 'it is a Hyper-V host adapter' }
}

function Get-HostState([string]$NodeIp) {
  $os = Get-CimInstance -ClassName Win32_OperatingSystem -Property @('LastBootUpTime', 'BuildNumber')
  $node = $null; $nodeError = $null
  # An address that has moved must not hide the rest.
  try { $node = Get-NodeAdapter $NodeIp } catch { if ([string]$_.FullyQualifiedErrorId -ne 'NODE-IP') { throw }; $nodeError = $_.Exception.Message }
  [ordered]@{
    build      = [int]$os.BuildNumber
    boot       = $os.LastBootUpTime.ToUniversalTime().ToString('o')
    ifIndex    = $(if ($node) { [int]$node.ifIndex } else { $null })
    guid       = $(if ($node) { [string]$node.InterfaceGuid } else { $null })
    nodeError  = $nodeError
    routes     = @(Get-RouteTable)
    addresses  = @(Get-AddressTable)
    interfaces = @(Get-NetIPInterface -AddressFamily IPv4 -PolicyStore ActiveStore -ErrorAction Stop | ForEach-Object {
        [ordered]@{ ifIndex = [int]$_.InterfaceIndex; alias = [string]$_.InterfaceAlias; forwarding = [string]$_.Forwarding } })
  }
}

function Invoke-Read($p) {
  Assert-Address 'nodeIp' $p.nodeIp
  $state = Get-HostState $p.nodeIp
  if ($p.full) {
    $node = if ($null -ne $state.ifIndex) { Get-NodeAdapter $p.nodeIp } else { $null }
    # Tunnels and the like have no MAC, and can't be named or given away.
    $state['nics'] = @(Get-Found { Get-NetAdapter -ErrorAction Stop } | Where-Object { $_.MacAddress -cmatch '^([0-9A-F]{2}-){5}[0-9A-F]{2}\z' } | ForEach-Object {
        $nic = $_
        [ordered]@{
          name = [string]$nic.Name; ifIndex = [int]$nic.ifIndex; guid = [string]$nic.InterfaceGuid; mac = [string]$nic.MacAddress
          status = [string]$nic.Status; virtual = ($nic.ComponentID -eq 'vms_mp')
          addresses = @($state.addresses | Where-Object { $_.ifIndex -eq $nic.ifIndex } | ForEach-Object { $_.address })
          busy = @(Get-NicUses $nic $node $state.addresses $state.routes)
        } })
    $machine = Get-MachineState $p
    # That docker is down must not hide the rest, nor look like "no networks".
    $state['podNetworks'] = $null
    if ($machine.docker.version) {
      try { $state['podNetworks'] = @(Get-DockerNetworks | Where-Object { $_.driver -eq 'transparent' }) }
      catch { if ([string]$_.FullyQualifiedErrorId -ne 'DOCKER') { throw }; $machine['docker'] = [ordered]@{ error = $_.Exception.Message } }
    }
    $state['machine'] = $machine
    $state['podNic'] = $null
    if ($p.containerNic) {
      Assert-Mac 'containerNic' $p.containerNic
      $pod = @(Get-PodAdapter $p.containerNic)
      if ($pod.Count -eq 1) {
        $state['podNic'] = [ordered]@{ ifIndex = [int]$pod[0].ifIndex; alias = [string]$pod[0].Name; forwarding = (Get-Forwarding $pod[0].ifIndex) }
      }
    }
  }
  [ordered]@{ ok = $true; changed = $false; data = $state }
}
