# The request loop of docs/host-protocol.md. Comes last: its table of scripts is what is defined by now.

function New-ScriptTable {
  $table = @{}
  foreach ($f in @(Get-ChildItem function:Invoke-*)) {
    $table[($f.Name.Substring(7) -creplace '(?<!^)([A-Z])', '-$1').ToLowerInvariant()] = $f.ScriptBlock
  }
  $table
}

# What a request may have left behind. Modules see the global preferences only, so those are set, not this scope's.
function Reset-Session {
  $global:ErrorActionPreference = 'Stop'; $global:ProgressPreference = 'SilentlyContinue'; $global:LASTEXITCODE = 0
  $global:Error.Clear()
  Set-Location -LiteralPath "$env:SystemDrive\"
}

# What a script answers, or why it failed.
function Get-AnswerTo([scriptblock]$Script) {
  try {
    Reset-Session
    @(& $Script 3>$null 4>$null 5>$null 6>$null)[-1]
  } catch {
    $code = [string]$_.FullyQualifiedErrorId
    if ($code -eq $_.Exception.Message) { $code = '' }     # throw 'text' has the text for its id
    [ordered]@{ ok = $false; code = $code; error = [string]$_.Exception.Message }
  }
}

# $Sent: the request and all scripts as they came, for who passes them on.
function Get-Answer($Table, [string]$Name, $Sent) {
  Get-AnswerTo {
    if (-not $Table.ContainsKey($Name)) { Stop-Request 'UNKNOWN-SCRIPT' 'there is no such script' }
    $p = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Sent.params)) | ConvertFrom-Json
    & $Table[$Name] $p $Sent
  }
}

function Start-Loop {
  $table = New-ScriptTable
  if ($workToken) { Start-Steps $workToken $table; return }     # started by provision: no channel
  $scripts = $line                                              # the loader's
  [Console]::Out.WriteLine('@@READY@@ 1')
  while ($null -ne ($line = [Console]::In.ReadLine())) {
    $id, $name, $params = $line -split ' ', 3
    if ($id -cnotmatch '^[0-9]{1,15}\z') { [Console]::Out.WriteLine('not a request'); continue }
    $answer = ConvertTo-AsciiJson (Get-Answer $table ([string]$name) @{ params = [string]$params; scripts = $scripts })
    [Console]::Out.WriteLine("@@R@@ $id 1")
    [Console]::Out.WriteLine($answer)
  }
}

Start-Loop
