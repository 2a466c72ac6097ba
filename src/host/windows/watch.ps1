# Blocks until one of the given processes ends, and says which. It has a channel of its own, not the loop's. One line of stdin names
# them, `<component>=<pid> ...`; then stdin has nothing more, and ends when nobody listens any longer, which ends this too.

# What to wait for, set when the process ends; nothing when it is not there, or not that component's.
# The process object is kept: it owns the handle.
function Get-Awaited([string]$Component, [int]$Id) {
  try { $process = Get-Process -Id $Id -ErrorAction Stop } catch { if ([string]$_.FullyQualifiedErrorId -notlike 'NoProcessFoundForGivenId,*') { throw }; return }
  $end = New-Object System.Threading.ManualResetEvent($false)
  $end.SafeWaitHandle = New-Object Microsoft.Win32.SafeHandles.SafeWaitHandle($process.Handle, $false)
  # Opened first, looked at then: the number may be another process's by now.
  if (@(Get-Executables $Component) -contains "$($process.ProcessName).exe") { @{ component = $Component; end = $end; process = $process } }
}

function Start-Watch {
  $ErrorActionPreference = 'Stop'
  $awaited = @(); $gone = @()
  foreach ($word in [Console]::In.ReadLine() -split ' ') {
    if ($word -cnotmatch '^([a-z-]+)=([0-9]{1,9})\z') { throw "not a process: $word" }
    $component, $id = $word -split '='
    $one = Get-Awaited $component $id
    if ($one) { $awaited += $one } else { $gone += $component }
  }
  $pending = [Console]::OpenStandardInput().BeginRead(([byte[]]@(0)), 0, 1, $null, $null)
  [Console]::Out.WriteLine('@@READY@@ 1')
  foreach ($component in $gone) { [Console]::Out.WriteLine("@@GONE@@ $component") }
  while ($awaited.Count) {
    $at = [Threading.WaitHandle]::WaitAny([Threading.WaitHandle[]](@($awaited | ForEach-Object { $_.end }) + $pending.AsyncWaitHandle))
    if ($at -eq $awaited.Count) { return }
    $ended = $awaited[$at]
    [Console]::Out.WriteLine("@@GONE@@ $($ended.component)")
    $awaited = @($awaited | Where-Object { $_ -ne $ended })
  }
}

Start-Watch
