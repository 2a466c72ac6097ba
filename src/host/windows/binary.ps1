# A binary that is brought by SFTP: it arrives as a file beside its place, and takes its place once its sum is right. What runs is not
# touched: every version has a folder of its own.

# SHA-256 in hex; nothing when there is no such file.
function Get-Sum([string]$Path) {
  if (-not [IO.File]::Exists($Path)) { return }
  $file = [IO.File]::Open($Path, 'Open', 'Read', 'Read'); $sha = [Security.Cryptography.SHA256]::Create()
  try { [BitConverter]::ToString($sha.ComputeHash($file)).Replace('-', '').ToLowerInvariant() } finally { $sha.Dispose(); $file.Dispose() }
}

function Get-Bytes([string]$Path) { if ([IO.File]::Exists($Path)) { (New-Object System.IO.FileInfo($Path)).Length } else { 0 } }

function Invoke-Binary($p) {
  Assert-Executable 'path' $p.path
  Assert-Pattern 'sha256' $p.sha256 '^[0-9a-f]{64}\z'
  Assert-Pattern 'action' $p.action '^(look|finish)\z'
  Assert-Fence $p.fence
  # .NET knows no drive of PowerShell's.
  $path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($p.path); $part = "$path.part"; $changed = $false
  if ($p.action -eq 'look') {
    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))
  } else {
    $sum = Get-Sum $part
    if ($sum -ne $p.sha256) {
      [IO.File]::Delete($part)
      Stop-Request 'SUM' "what arrived has the SHA-256 $sum"
    }
    [IO.File]::Delete($path)
    [IO.File]::Move($part, $path)
    $changed = $true
  }
  [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ sha256 = "$(Get-Sum $path)"; partBytes = [long](Get-Bytes $part); partSha256 = "$(Get-Sum $part)" } }
}
