# What the machine itself is: the facts that a node's checks are made from. Read only; a part of a full read.

# A Windows service by its name; null when there is none.
function Get-ServiceState([string]$Name) {
  try { $service = Get-Service -Name $Name -ErrorAction Stop }
  catch { if ([string]$_.FullyQualifiedErrorId -notlike 'NoServiceFoundForGivenName,*') { throw }; return $null }
  [ordered]@{ runs = ([string]$service.Status -eq 'Running'); atBoot = ([string]$service.StartType -eq 'Automatic') }
}

# Null where it can't be told, such as for an account that is no administrator: unknown must not hide the rest, nor look like "none".
function Get-OrNull([scriptblock]$Query) { try { & $Query } catch { $null } }

# Whether the account has an administrator's rights, and not only their name (UAC).
function Test-Administrator {
  $account = [System.Security.Principal.WindowsIdentity]::GetCurrent()
  (New-Object System.Security.Principal.WindowsPrincipal($account)).IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

# Docker's version, or why it does not answer.
function Get-DockerState {
  $r = Start-Program 'docker.exe' @('version', '--format', '{{.Server.Version}}')
  if ($r.code -eq 0 -and $r.out.Trim()) { return [ordered]@{ version = $r.out.Trim() } }
  [ordered]@{ error = "docker does not answer ($($r.code): $($r.err))" }
}

# Null without Hyper-V's cmdlets; without its service behind them, or an administrator before them, they fail.
function Get-Switches {
  if (-not (Test-Cmdlet 'Get-VMSwitch')) { return $null }
  try { [pscustomobject]@{ all = @(Get-VMSwitch -ErrorAction Stop); error = '' } } catch { [pscustomobject]@{ all = @(); error = $_.Exception.Message } }
}

function Get-Nssm {
  $found = @(Get-Command -Name 'nssm.exe' -CommandType Application -ErrorAction SilentlyContinue)
  if ($found.Count) { [string]$found[0].Path } else { $null }
}

# The SDDL of each program, and of the folders that it lies in up to the drive; $null where it can't be read.
function Get-Permissions([string[]]$Programs) {
  $found = [ordered]@{}
  foreach ($program in $Programs) {
    $parts = $program -split '\\'
    for ($i = 1; $i -lt $parts.Count; $i++) {
      $path = $parts[0..$i] -join '\'
      if (-not $found.Contains($path) -and (Test-Path -LiteralPath $path)) { $found[$path] = Get-OrNull { [string](Get-Acl -LiteralPath $path -ErrorAction Stop).Sddl } }
    }
  }
  $found
}

function Get-MachineState($p) {
  Assert-Image 'pauseImage' $p.pauseImage
  foreach ($component in 'kubelet', 'kube-proxy') { Assert-Executable "executables.$component" $p.executables.$component }
  $os = Get-CimInstance -ClassName Win32_OperatingSystem -Property @('Caption', 'ProductType', 'OSLanguage')
  $disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='$env:SystemDrive'" -Property @('FreeSpace')
  $docker = Get-DockerState
  $features = Get-OrNull { Get-RoutingFeatures }
  $record = Get-OrNull { Get-RoutingRecord }
  $switches = Get-Switches
  $nssm = Get-Nssm
  $components = [ordered]@{ 'kubelet' = (Get-InstalledComponent 'kubelet'); 'kube-proxy' = (Get-InstalledComponent 'kube-proxy') }
  $programs = @($p.executables.kubelet, $p.executables.'kube-proxy', $nssm) + @($components.Values | ForEach-Object { $_.executable })
  $machine = [ordered]@{
    product         = [string]$os.Caption
    isServer        = ($os.ProductType -ne 1)
    # Not the system locale, nor a culture: those are regional settings, and change nothing of what programs print.
    language        = [int]$os.OSLanguage
    # Not the console's encoding: the prelude has changed that.
    codePage        = [int](Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\Nls\CodePage' -Name OEMCP -ErrorAction Stop).OEMCP
    isAdministrator = [bool](Test-Administrator)
    freeBytes       = [int64]$disk.FreeSpace
    ipHelper        = (Get-ServiceState 'iphlpsvc')
    docker          = $docker
    pauseImage      = $(if ($docker.version) { Get-ImageId $p.pauseImage } else { $null })
    features        = $features
    routing         = (Get-RoutingState $features $record)
    rebootPending   = [bool](Test-RebootPending $features $record)
    switches        = $null
    nssm            = $nssm
    binaries        = [ordered]@{
      'kubelet'    = [bool](Test-Path -LiteralPath $p.executables.kubelet)
      'kube-proxy' = [bool](Test-Path -LiteralPath $p.executables.'kube-proxy')
    }
    permissions     = (Get-Permissions @($programs | Where-Object { $_ }))
    components      = $components
    clock           = [DateTime]::UtcNow.ToString('o')
  }
  # Of a list that a function gives, 5.1 hands on the members, and of an empty one nothing; so it is put in here.
  if ($switches -and $switches.error) { $machine['switches'] = [ordered]@{ error = $switches.error } }
  elseif ($switches) { $machine['switches'] = @($switches.all | ForEach-Object { [ordered]@{ name = [string]$_.Name; type = [string]$_.SwitchType } }) }
  $machine
}
