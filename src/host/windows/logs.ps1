# The last lines that kubelet or kube-proxy wrote: of the newest file that nssm or the task's wrapper keeps, or of nssm's events about it.

# The end of a file that somebody else writes to; a line that was cut off in front is left out.
function Get-FileEnd([string]$Path) {
  $file = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
  try {
    $start = [math]::Max([int64]0, $file.Length - 65536)
    $null = $file.Seek($start, 'Begin')
    $text = (New-Object System.IO.StreamReader($file)).ReadToEnd()
  } finally { $file.Dispose() }
  if ($start) { $text.Substring($text.IndexOf("`n") + 1) } else { $text }
}

function Get-LogFile([string]$Component) {
  try { $files = @(Get-ChildItem -Path "$env:SystemDrive\k\logs\$Component*.log" -ErrorAction Stop) }
  catch [System.Management.Automation.ItemNotFoundException] { return }
  $newest = $null
  foreach ($f in $files) { if ($f.Length -and ($null -eq $newest -or $f.LastWriteTimeUtc -gt $newest.LastWriteTimeUtc)) { $newest = $f } }
  $newest
}

# Oldest first. Event messages are in the host's language, but name the service.
function Get-EventLines([string]$Component, [int]$Lines) {
  foreach ($provider in $Component, 'nssm') {
    $events = @()
    try { $events = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = $provider } -MaxEvents 1000 -ErrorAction Stop) }
    catch { if ([string]$_.FullyQualifiedErrorId -notmatch '^(NoMatching|LogsAndProvidersDontOverlap)') { throw } }
    $mine = @($events | Where-Object { $provider -eq $Component -or $_.Message -like "*$Component*" })
    if ($mine.Count) {
      $last = @($mine[0..([math]::Min($Lines, $mine.Count) - 1)]); [Array]::Reverse($last)
      return @($last | ForEach-Object { "$($_.TimeCreated.ToUniversalTime().ToString('o')) $($_.Message)" })
    }
  }
}

function Invoke-Logs($p) {
  Assert-Component $p.component
  Assert-Pattern 'lines' ([string]$p.lines) '^([1-9][0-9]?|1[0-9]{2}|200)\z'
  $file = Get-LogFile $p.component
  # Of what an if gives, PowerShell takes a single line out of its list.
  $lines = @(if ($file) { (Get-FileEnd $file.FullName).TrimEnd() -split '\r?\n' } else { Get-EventLines $p.component $p.lines })
  if (-not $lines.Count) { Stop-Request 'NO-LOG' "nothing under $env:SystemDrive\k\logs and no event is of $($p.component)" }
  $log = @($lines[([math]::Max(0, $lines.Count - [int]$p.lines))..($lines.Count - 1)]) -join "`n"
  [ordered]@{ ok = $true; changed = $false; data = [ordered]@{ log = $log } }
}
