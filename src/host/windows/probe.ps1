# What read says, with kubelet, kube-proxy and the clock. Processes are told apart by id and start, never by a service's state:
# the wrapper that a service starts goes on running while what it wraps restarts every few seconds.

# The oldest process of the first of these names that runs, unless another one of them started it: kubelet may run itself.
function Get-ComponentProcess($All, [string]$Component) {
  foreach ($name in Get-Executables $Component) {
    $named = @($All | Where-Object { $_.Name -eq $name })
    $ids = @($named | ForEach-Object { $_.ProcessId })
    $oldest = $null
    foreach ($x in $named) {
      if ($ids -notcontains $x.ParentProcessId -and ($null -eq $oldest -or $x.CreationDate -lt $oldest.CreationDate)) { $oldest = $x }
    }
    if ($oldest) { return [ordered]@{ pid = [int]$oldest.ProcessId; started = $oldest.CreationDate.ToUniversalTime().ToString('o') } }
  }
  $null          # and not nothing, which 5.1 turns into {} in JSON
}

function Get-ComponentProcesses {
  $names = @(Get-Executables 'kubelet') + @(Get-Executables 'kube-proxy')
  $filter = @($names | ForEach-Object { "Name='$_'" }) -join ' OR '
  $all = @(Get-CimInstance -ClassName Win32_Process -Filter $filter -Property @('Name', 'ProcessId', 'ParentProcessId', 'CreationDate'))
  [ordered]@{ 'kubelet' = (Get-ComponentProcess $all 'kubelet'); 'kube-proxy' = (Get-ComponentProcess $all 'kube-proxy') }
}

function Get-ProbeData([string]$NodeIp) {
  $data = Get-HostState $NodeIp
  $data['processes'] = Get-ComponentProcesses
  $data['clock'] = [DateTime]::UtcNow.ToString('o')
  $data
}

function Invoke-Probe($p) {
  Assert-Address 'nodeIp' $p.nodeIp
  [ordered]@{ ok = $true; changed = $false; data = (Get-ProbeData $p.nodeIp) }
}
