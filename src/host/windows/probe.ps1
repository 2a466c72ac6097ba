# What read says, with kubelet, kube-proxy and the clock. Processes are told apart by id and start, never by a service's state:
# the wrapper that a service starts goes on running while what it wraps restarts every few seconds.

# Of these processes the oldest that none of the others started: kubelet may run itself. Nothing when there is none.
function Get-Eldest($Processes) {
  $ids = @($Processes | ForEach-Object { $_.ProcessId })
  $oldest = $null
  foreach ($x in $Processes) {
    if ($ids -notcontains $x.ParentProcessId -and ($null -eq $oldest -or $x.CreationDate -lt $oldest.CreationDate)) { $oldest = $x }
  }
  if ($oldest) { [ordered]@{ pid = [int]$oldest.ProcessId; started = $oldest.CreationDate.ToUniversalTime().ToString('o') } }
}

# The process of the first of a component's names that runs.
function Get-ComponentProcess($All, [string]$Component) {
  foreach ($name in Get-Executables $Component) {
    $eldest = Get-Eldest @($All | Where-Object { $_.Name -eq $name })
    if ($eldest) { return $eldest }
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
