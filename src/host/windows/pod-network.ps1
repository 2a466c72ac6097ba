# Docker's transparent network on the container NIC, or its removal.
# Docker makes a virtual switch of the NIC, which may cut connections: the work runs as WMI's child, outside this session, and is polled.

# What runs detached. It holds the lock while it lives, so that "does it still run?" has an answer that no crash can falsify.
function Get-NetworkJob {
  @'
$ErrorActionPreference = 'Continue'
$job = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($data)) | ConvertFrom-Json
$lock = $null
while ($null -eq $lock) { try { $lock = [IO.File]::Open($job.lock, 'OpenOrCreate', 'ReadWrite', 'None') } catch { Start-Sleep -Milliseconds 250 } }
$out = @($null | & $job.exe ([string[]]$job.argv) 2>&1 | ForEach-Object { [string]$_ }) -join ' '
[IO.File]::WriteAllText("$($job.result).new", (ConvertTo-Json -Compress ([ordered]@{ code = $LASTEXITCODE; out = $out })))
[IO.File]::Delete($job.result)
[IO.File]::Move("$($job.result).new", $job.result)
$lock.Dispose()
'@
}

function Test-NetworkJob([string]$Lock) {
  if (-not [IO.File]::Exists($Lock)) { return $false }
  try { [IO.File]::Open($Lock, 'Open', 'ReadWrite', 'None').Dispose(); $false } catch { $true }
}

# Waits while a job runs, at most 4 minutes (a blip and a slow docker are within one).
function Wait-NetworkJob([string]$Lock, [DateTime]$Until) {
  while (Test-NetworkJob $Lock) {
    if ([DateTime]::UtcNow -gt $Until) { Stop-Request 'STILL-RUNNING' 'docker still works on the network: ask again' }
    Start-Sleep -Milliseconds 250
  }
}

# Runs docker detached and returns its exit code and text; whatever it says, the caller reads docker's networks again.
function Start-Detached([string[]]$Argv, [DateTime]$Until) {
  $docker = Get-Command -Name 'docker.exe' -CommandType Application -ErrorAction Stop
  $folder = Get-StateFolder
  $id = [guid]::NewGuid().ToString('N')
  $job = @{ exe = [string]@($docker)[0].Path; argv = $Argv; lock = [IO.Path]::Combine($folder, 'pod-network.lock'); result = [IO.Path]::Combine($folder, "pod-network-$id.json") }
  $data = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -Compress $job)))
  $code = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes("`$data = '$data'`n" + (Get-NetworkJob)))
  $r = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{
    CommandLine = "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand $code"; CurrentDirectory = $folder
  }
  if ($r.ReturnValue -ne 0) { Stop-Request 'WMI' "Win32_Process Create answered $($r.ReturnValue)" }
  $started = [DateTime]::UtcNow
  while (-not [IO.File]::Exists($job.result)) {
    Wait-NetworkJob $job.lock $Until
    # It takes its lock within a second or two of starting; half a minute without a lock and without a result, and it is lost.
    if (-not [IO.File]::Exists($job.result) -and [DateTime]::UtcNow -gt $started.AddSeconds(30)) { Stop-Request 'JOB-LOST' 'the detached docker command ended without a result' }
    Start-Sleep -Milliseconds 100
  }
  $text = [IO.File]::ReadAllText($job.result)
  [IO.File]::Delete($job.result)
  $text | ConvertFrom-Json
}

# Refuses when the network of that name is another one than asked for.
function Assert-SameNetwork($Network, $p) {
  $other = @()
  if ($Network.driver -ne 'transparent') { $other += "driver $($Network.driver)" }
  if ($Network.subnet -ne $p.podCidr) { $other += "subnet $($Network.subnet)" }
  if ($Network.gateway -ne $p.podGateway) { $other += "gateway $($Network.gateway)" }
  if ($other.Count) { Stop-Request 'CONFLICT' "the docker network $($p.network) exists, with $($other -join ', ')" }
}

function Invoke-PodNetwork($p) {
  Assert-Name 'network' $p.network
  Assert-Cidr 'podCidr' $p.podCidr
  Assert-Address 'podGateway' $p.podGateway
  Assert-Address 'nodeIp' $p.nodeIp
  Assert-Mac 'containerNic' $p.containerNic
  Assert-Flag 'ensure' $p.ensure
  Assert-Fence $p.fence
  $until = [DateTime]::UtcNow.AddMinutes(4)
  Wait-NetworkJob ([IO.Path]::Combine((Get-StateFolder), 'pod-network.lock')) $until    # the one a cut session left behind

  $all = @(Get-DockerNetworks)
  $mine = @($all | Where-Object { $_.name -eq $p.network })
  if ($mine.Count) { Assert-SameNetwork $mine[0] $p }
  if ([bool]$mine.Count -eq $p.ensure) {
    return [ordered]@{ ok = $true; changed = $false; data = [ordered]@{ network = $(if ($mine.Count) { $mine[0] } else { $null }) } }
  }
  $r = if ($p.ensure) { New-PodNetwork $p $all $until } else { Remove-PodNetwork $p $until }

  $mine = @(Get-DockerNetworks | Where-Object { $_.name -eq $p.network })
  if ([bool]$mine.Count -ne $p.ensure) { Stop-Request 'DOCKER' "docker network ($($r.code)): $($r.out)" }
  if ($mine.Count) { Assert-SameNetwork $mine[0] $p }
  [ordered]@{ ok = $true; changed = $true; data = [ordered]@{ network = $(if ($mine.Count) { $mine[0] } else { $null }) } }
}

function New-PodNetwork($p, $All, [DateTime]$Until) {
  $other = @($All | Where-Object { $_.driver -eq 'transparent' })
  if ($other.Count) { Stop-Request 'CONFLICT' "the transparent network $($other[0].name) exists, and each needs a NIC of its own" }
  $node = Get-NodeAdapter $p.nodeIp
  $nic = @(Get-Found { Get-NetAdapter -ErrorAction Stop } | Where-Object { $_.ComponentID -ne 'vms_mp' -and $_.MacAddress -eq $p.containerNic })
  if ($nic.Count -ne 1) { Stop-Request 'NIC' "the container NIC $($p.containerNic) matches $($nic.Count) adapters" }
  $uses = @(Get-NicUses $nic[0] $node @(Get-AddressTable) @(Get-RouteTable))
  if ($uses.Count) { Stop-Request 'NIC' "$($nic[0].Name) can't become the container NIC: $($uses -join ', ')" }
  # Bound by name: left to itself, HNS may take the NIC that carries this session.
  Start-Detached @('network', 'create', '-d', 'transparent', '--subnet', $p.podCidr, '--gateway', $p.podGateway,
    '-o', "com.docker.network.windowsshim.interface=$($nic[0].Name)", $p.network) $Until
}

function Remove-PodNetwork($p, [DateTime]$Until) {
  $used = Start-Program 'docker.exe' @('ps', '--quiet', '--filter', "network=$($p.network)")
  if ($used.code -ne 0) { Stop-Request 'DOCKER' "docker ps ($($used.code)): $($used.err)" }
  $count = @($used.out -split '\s+' | Where-Object { $_ }).Count
  if ($count) { Stop-Request 'IN-USE' "$count containers are on the docker network $($p.network)" }
  Start-Detached @('network', 'rm', $p.network) $Until
}
