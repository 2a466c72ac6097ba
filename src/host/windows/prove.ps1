# Does the other side answer? From the given source, so that the way back is proved too. 64 targets at a time, about 2 s.

# ICMP may be filtered: a TCP answer, be it a refusal, proves the path as well. These are SSH's port and kubelet's.
function Start-Try([string]$Source, [string]$Target) {
  $try = @{ target = $Target; ping = $null; connects = @(); icmp = $false; tcp = $false }
  foreach ($port in 22, 10250) {
    $socket = New-Object System.Net.Sockets.Socket('InterNetwork', 'Stream', 'Tcp')
    try {
      $socket.Bind((New-Object System.Net.IPEndPoint([Net.IPAddress]::Parse($Source), 0)))
      $try.connects += @{ socket = $socket; pending = $socket.BeginConnect([Net.IPAddress]::Parse($Target), $port, $null, $null) }
    } catch { $socket.Close() }
  }
  $start = New-Object System.Diagnostics.ProcessStartInfo('ping.exe', "-n 1 -w 1500 -S $Source $Target")
  $start.UseShellExecute = $false; $start.CreateNoWindow = $true
  $start.RedirectStandardInput = $true; $start.RedirectStandardOutput = $true; $start.RedirectStandardError = $true
  try { $try.ping = [System.Diagnostics.Process]::Start($start); $try.ping.StandardInput.Close() } catch { }
  $try
}

# Takes in what has arrived; true while more may come.
function Update-Try($Try) {
  if ($Try.ping -and $Try.ping.HasExited) {
    # ping also exits with 0 when a router says "unreachable"; only an echo has a TTL, in every language.
    $Try.icmp = $Try.ping.ExitCode -eq 0 -and $Try.ping.StandardOutput.ReadToEnd() -match 'TTL='
    $Try.ping.Dispose(); $Try.ping = $null
  }
  foreach ($c in @($Try.connects | Where-Object { $_.pending -and $_.pending.IsCompleted })) {
    try { $c.socket.EndConnect($c.pending); $Try.tcp = $true }
    catch {
      $e = $_.Exception.GetBaseException()
      if ($e -is [System.Net.Sockets.SocketException] -and $e.SocketErrorCode -eq 'ConnectionRefused') { $Try.tcp = $true }
    }
    $c.pending = $null
  }
  -not $Try.icmp -and ($Try.ping -or (-not $Try.tcp -and @($Try.connects | Where-Object { $_.pending }).Count))
}

function Invoke-Prove($p) {
  Assert-Address 'source' $p.source
  $targets = @($p.targets | Where-Object { $null -ne $_ })
  foreach ($t in $targets) { Assert-Address 'target' $t }
  if (-not @(Get-Found { Get-NetIPAddress -AddressFamily IPv4 -IPAddress $p.source -PolicyStore ActiveStore -ErrorAction Stop }).Count) {
    Stop-Request 'SOURCE' "no interface has the address $($p.source)"
  }
  $answers = [ordered]@{}
  for ($i = 0; $i -lt $targets.Count; $i += 64) {
    $until = [DateTime]::UtcNow.AddSeconds(2)
    $tries = @(foreach ($t in $targets[$i..([math]::Min($i + 63, $targets.Count - 1))]) { Start-Try $p.source $t })
    while (@($tries | Where-Object { Update-Try $_ }).Count -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
    foreach ($try in $tries) {
      $answers[$try.target] = $(if ($try.icmp) { 'icmp' } elseif ($try.tcp) { 'tcp' } else { 'none' })
      foreach ($c in $try.connects) { $c.socket.Close() }
      if ($try.ping) { try { $try.ping.Kill() } catch { }; $try.ping.Dispose() }
    }
  }
  [ordered]@{ ok = $true; changed = $false; data = [ordered]@{ answers = $answers } }
}
