# Shared by the scripts of this folder. Windows PowerShell 5.1, syntax and cmdlet parameters.
# Parameters are data: nothing of them is ever parsed as a script, and what reaches a program's command line was checked by Assert-*.

# The answer must be ASCII whatever the machine's code page; the console of a service session may refuse the setting.
try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding($false) } catch { }

function ConvertTo-AsciiJson($Value) {
  $json = ConvertTo-Json -InputObject $Value -Depth 8 -Compress
  [regex]::Replace($json, '[^\x20-\x7e]', { param($m) '\u{0:x4}' -f [int][char]$m.Value })
}

# Ends the request: ok false, with this code and text.
function Stop-Request([string]$Code, [string]$Text) {
  throw (New-Object System.Management.Automation.ErrorRecord((New-Object System.InvalidOperationException($Text)), $Code, 'InvalidOperation', $null))
}

# \z, not $: $ would let a final line break through. -cmatch: a case-blind range takes letters that are not ASCII.
function Test-Address($Value) {
  $Value -is [string] -and $Value -cmatch '^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(?!\z)|\z)){4}\z'
}
function Assert-Address([string]$Name, $Value) {
  if (-not (Test-Address $Value)) { Stop-Request 'BAD-PARAMS' "$Name is no IPv4 address" }
}
function Assert-Cidr([string]$Name, $Value) {
  $base, $length = ([string]$Value) -split '/', 2
  if ($Value -isnot [string] -or -not (Test-Address $base) -or $length -cnotmatch '^(3[0-2]|[12]?[0-9])\z') { Stop-Request 'BAD-PARAMS' "$Name is no CIDR" }
  if ((ConvertTo-U32 $base) -band (-bnot (Get-MaskBits $length))) { Stop-Request 'BAD-PARAMS' "$Name has host bits" }
}
function Assert-Pattern([string]$Name, $Value, [string]$Pattern) {
  if ($Value -isnot [string] -or $Value -cnotmatch $Pattern) { Stop-Request 'BAD-PARAMS' "$Name has a character that it must not have" }
}
function Assert-Mac([string]$Name, $Value) { Assert-Pattern $Name $Value '^([0-9A-F]{2}-){5}[0-9A-F]{2}\z' }
function Assert-Name([string]$Name, $Value) { Assert-Pattern $Name $Value '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\z' }
function Assert-Image([string]$Name, $Value) { Assert-Pattern $Name $Value '^[a-z0-9][a-z0-9._/:@-]{0,254}\z' }
function Assert-Executable([string]$Name, $Value) { Assert-Pattern $Name $Value '^[A-Za-z]:(\\[A-Za-z0-9._-]{1,64}){1,8}\.[Ee][Xx][Ee]\z' }
function Assert-Flag([string]$Name, $Value) {
  if ($Value -isnot [bool]) { Stop-Request 'BAD-PARAMS' "$Name is neither true nor false" }
}

function Assert-Component($Value) { Assert-Pattern 'component' $Value '^(kubelet|kube-proxy)\z' }

# How a component's executable may be called: proxy.exe is what a native build of Kubernetes 1.5 gives.
function Get-Executables([string]$Component) {
  if ($Component -eq 'kubelet') { 'kubelet.exe' } else { 'kube-proxy.exe', 'proxy.exe' }
}

function ConvertTo-U32([string]$Address) {
  $bytes = [Net.IPAddress]::Parse($Address).GetAddressBytes(); [Array]::Reverse($bytes); [BitConverter]::ToUInt32($bytes, 0)
}
function Get-MaskBits([int]$Length) { [uint32]([math]::Pow(2, 32) - [math]::Pow(2, 32 - $Length)) }
function Get-Mask([int]$Length) {
  $bytes = [BitConverter]::GetBytes((Get-MaskBits $Length)); [Array]::Reverse($bytes); ([Net.IPAddress]$bytes).ToString()
}
function Test-InCidr([string]$Inner, [string]$Outer) {
  $base, $length = $Outer -split '/'; $innerBase, $innerLength = $Inner -split '/'
  if ($null -ne $innerLength -and [int]$innerLength -lt [int]$length) { return $false }
  ((ConvertTo-U32 $innerBase) -band (Get-MaskBits $length)) -eq (ConvertTo-U32 $base)
}

# Runs a program: exit code, and its two streams apart, since an error text read as data is how "down" turns into "empty".
# Its stdin is empty: it would inherit the channel's, and swallow the next request. OnLine is given each line of its output at once.
function Start-Program([string]$Exe, [string[]]$Argv, [scriptblock]$OnLine) {
  $ErrorActionPreference = 'Continue'        # 5.1 throws at the first line on stderr under Stop
  $out = @(); $err = @()
  try {
    $null | & $Exe $Argv 2>&1 | ForEach-Object {
      if ($_ -is [System.Management.Automation.ErrorRecord]) { $err += $_.Exception.Message }
      else { $out += [string]$_; if ($OnLine) { $null = & $OnLine ([string]$_) } }
    }
    $code = $LASTEXITCODE
  } catch [System.Management.Automation.CommandNotFoundException] {
    $code = 9009; $err = @("$Exe not found")   # $LASTEXITCODE would be the one of some program before
  }
  [pscustomobject]@{ code = $code; out = ($out -join "`n"); err = ((@($err) + @($out)) -join ' ').Replace([string][char]0, '').Trim() }
}

# Whether this Windows has a cmdlet; some come with a feature.
function Test-Cmdlet([string]$Name) { [bool]@(Get-Command -Name $Name -ErrorAction SilentlyContinue).Count }

# What the query finds. Nothing found is an error of these cmdlets when they filter, and the only one that means "none".
function Get-Found([scriptblock]$Query) {
  try { & $Query } catch { if ([string]$_.FullyQualifiedErrorId -notlike 'CmdletizationQuery_NotFound*') { throw } }
}

# The adapter that holds the node's address. Derived on every run: an interface index may change with each boot.
function Get-NodeAdapter([string]$NodeIp) {
  $held = @(Get-Found { Get-NetIPAddress -AddressFamily IPv4 -IPAddress $NodeIp -PolicyStore ActiveStore -ErrorAction Stop })
  if ($held.Count -ne 1) { Stop-Request 'NODE-IP' "the node's address $NodeIp is on $($held.Count) interfaces" }
  Get-NetAdapter -InterfaceIndex $held[0].InterfaceIndex -IncludeHidden -ErrorAction Stop
}

# The host adapters of Hyper-V that carry the container NIC's MAC: HNS gives the NIC's to its own. The name isn't stable.
function Get-PodAdapter([string]$Mac) {
  @(Get-Found { Get-NetAdapter -ErrorAction Stop } | Where-Object { $_.ComponentID -eq 'vms_mp' -and $_.MacAddress -eq $Mac })
}

function Get-Forwarding([int]$IfIndex) {
  [string](Get-NetIPInterface -InterfaceIndex $IfIndex -AddressFamily IPv4 -PolicyStore ActiveStore -ErrorAction Stop).Forwarding
}

# True when it had to be changed.
function Set-Forwarding([int]$IfIndex, [bool]$Enabled) {
  $want = if ($Enabled) { 'Enabled' } else { 'Disabled' }
  if ((Get-Forwarding $IfIndex) -eq $want) { return $false }
  # netsh first: store=persistent survives the reboot. It takes an index for the name.
  $r = Start-Program 'netsh.exe' @('interface', 'ipv4', 'set', 'interface', "$IfIndex", "forwarding=$($want.ToLowerInvariant())", 'store=persistent')
  if ((Get-Forwarding $IfIndex) -ne $want) { Set-NetIPInterface -InterfaceIndex $IfIndex -AddressFamily IPv4 -Forwarding $want -ErrorAction Stop }
  if ((Get-Forwarding $IfIndex) -ne $want) { Stop-Request 'FORWARDING' "forwarding does not turn $($want.ToLowerInvariant()) on interface $IfIndex (netsh $($r.code): $($r.err))" }
  $true
}

# Not under ProgramData, where any user may make the folder first, and would own what it says.
function Get-StatePath([string]$Name) { [IO.Path]::Combine($env:ProgramFiles, 'Fairway', $Name) }
function Get-StateFolder { [IO.Directory]::CreateDirectory((Get-StatePath '')).FullName }

function Get-Boot {
  (Get-CimInstance -ClassName Win32_OperatingSystem -Property @('LastBootUpTime')).LastBootUpTime.ToUniversalTime().ToString('o')
}

# Writes by way of a second file, so that a reader (or a power cut) never meets half of it. A reader is in the way for a moment only.
function Write-Whole([string]$Path, [string]$Text) {
  foreach ($i in 1..40) {
    try {
      [IO.File]::WriteAllText("$Path.new", $Text)
      if ([IO.File]::Exists($Path)) { [IO.File]::Replace("$Path.new", $Path, [NullString]::Value) } else { [IO.File]::Move("$Path.new", $Path) }
      return
    } catch [System.IO.IOException] { if ($i -eq 40) { throw }; Start-Sleep -Milliseconds 25 }
  }
}

# What the step in hand says of itself, in under 80 characters. Only a provision job has somebody who reads it, and a file for it.
function Write-StepProgress([string]$Text) {
  # No step fails for what could not be told of it.
  if ($script:progressFile) { try { Write-Whole $script:progressFile $Text } catch { } }
}

# The lease's fencing token: whoever held the host's lease before is told so, and changes nothing.
function Assert-Fence($Fence) {
  $mine = [int64]0
  if ([string]$Fence -cnotmatch '^[0-9]{1,18}\z' -or -not [int64]::TryParse([string]$Fence, [ref]$mine)) { Stop-Request 'BAD-PARAMS' 'fence is no number' }
  $path = [IO.Path]::Combine((Get-StateFolder), 'fence'); $seen = [int64]0
  if ([IO.File]::Exists($path)) {
    $text = [IO.File]::ReadAllText($path).Trim()
    if (-not [int64]::TryParse($text, [ref]$seen)) { Stop-Request 'FENCED' "$path holds no number" }
  }
  if ($seen -gt $mine) { Stop-Request 'FENCED' "another worker has taken this host over ($seen > $mine)" }
  if ($seen -lt $mine) { Write-Whole $path "$mine" }
}

# Every network that docker knows. Its exit code first: with the daemon down, its error text is no list.
function Get-DockerNetworks {
  $list = Start-Program 'docker.exe' @('network', 'ls', '--quiet', '--no-trunc')
  if ($list.code -ne 0) { Stop-Request 'DOCKER' "docker does not answer ($($list.code): $($list.err))" }
  $ids = @($list.out -split '\s+' | Where-Object { $_ })
  if ($ids.Count -eq 0) { return }
  $r = Start-Program 'docker.exe' (@('network', 'inspect') + $ids)
  if ($r.code -ne 0) { Stop-Request 'DOCKER' "docker network inspect ($($r.code)): $($r.err)" }
  $networks = $r.out | ConvertFrom-Json     # 5.1 hands a JSON array on as one object: only the foreach takes it apart
  foreach ($n in $networks) {
    # Without a subnet of its own (DHCP), docker says 0.0.0.0/0, or nothing at all.
    $ipam = @($n.IPAM.Config | Where-Object { $_ })
    $subnet = if ($ipam.Count -and $ipam[0].Subnet) { [string]$ipam[0].Subnet } else { '0.0.0.0/0' }
    $gateway = if ($ipam.Count -and $ipam[0].Gateway) { [string]$ipam[0].Gateway } else { '0.0.0.0' }
    [pscustomobject]@{ name = [string]$n.Name; driver = [string]$n.Driver; subnet = $subnet; gateway = $gateway }
  }
}
