# Works through other scripts outside the session: some of them cut it, and some take long. It may be asked for again and again, from any
# connection. What runs detached holds a lock while it lives, so that "does it still run?" has an answer that no crash can falsify.
#
#   provision.lock      held by the work           provision.json      what is asked, and how far it is
#   provision.gate      held by who starts it      provision.ps1       all scripts
#   provision.fence     of who joined it           provision.progress  what the step in hand says

function Get-WorkPath([string]$Name) { [IO.Path]::Combine((Get-StateFolder), "provision.$Name") }

# The file, open for nobody else; nothing while somebody has it.
function Open-Alone([string]$Path) {
  try { [IO.File]::Open($Path, 'OpenOrCreate', 'ReadWrite', 'None') } catch [System.IO.IOException] { }
}

function Test-WorkRuns {
  $lock = Open-Alone (Get-WorkPath 'lock')
  if ($lock) { $lock.Dispose() }
  -not $lock
}

# Read beside a writer, who must not be kept from replacing it.
function Read-Beside([string]$Path) {
  foreach ($i in 1..20) {
    if (-not [IO.File]::Exists($Path)) { return }
    try {
      $file = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
      try { return (New-Object System.IO.StreamReader($file)).ReadToEnd() } finally { $file.Dispose() }
    } catch [System.IO.IOException] { if ($i -eq 20) { throw }; Start-Sleep -Milliseconds 50 }
  }
}

function Read-Work { $text = Read-Beside (Get-WorkPath 'json'); if ($text) { $text | ConvertFrom-Json } }

function Save-Work($Work) { Write-Whole (Get-WorkPath 'json') (ConvertTo-Json -InputObject $Work -Depth 4 -Compress) }

# Who joins a work takes it over, with a higher fence: the work goes on under that one.
function Get-WorkFence($p) { [math]::Max([int64]$p.fence, [int64](Read-Beside (Get-WorkPath 'fence'))) }

function Join-Work($p) {
  $work = Read-Work
  if ($work -and $work.id -eq $p.id -and [string]$p.fence -cmatch '^[0-9]{1,18}\z' -and (Get-WorkFence $p) -eq [int64]$p.fence) {
    Write-Whole (Get-WorkPath 'fence') "$($p.fence)"
  }
}

# WMI's child has neither the session's job object nor its handles. Gives the work's token.
function Start-Work($p, $Sent) {
  Write-Whole (Get-WorkPath 'ps1') ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Sent.scripts)))
  [IO.File]::Delete((Get-WorkPath 'fence'))
  $token = [guid]::NewGuid().ToString('N')
  Save-Work ([ordered]@{
      id = $p.id; token = $token; asked = [DateTime]::UtcNow.Ticks; request = $Sent.params; session = [string]$env:SSH_CONNECTION
      begun = $false; over = $false; done = 0; of = @($p.steps).Count; doing = ''; failed = $null; printed = ''; changed = $false
    })
  $code = "`$workToken = '$token'; . ([scriptblock]::Create([IO.File]::ReadAllText([IO.Path]::Combine(`$env:ProgramFiles, 'Fairway', 'provision.ps1'))))"
  $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($code))
  $r = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{
    CommandLine = "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand $encoded"; CurrentDirectory = (Get-StateFolder)
  }
  if ($r.ReturnValue -eq 0) { return $token }
  [IO.File]::Delete((Get-WorkPath 'json'))
  Stop-Request 'WMI' "Win32_Process Create answered $($r.ReturnValue)"
}

# The work itself, in a process of its own. A token that is no longer the current one was given up: another work may be under way.
function Start-Steps([string]$Token, $Table) {
  $lock = $null
  while (-not $lock) { $lock = Open-Alone (Get-WorkPath 'lock'); if (-not $lock) { Start-Sleep -Milliseconds 100 } }
  $work = Read-Work
  if (-not $work -or $work.token -ne $Token -or $work.begun) { return }
  $work.begun = $true
  Save-Work $work
  $env:SSH_CONNECTION = $work.session      # WMI's child does not have it, and no step may take the session's NIC
  $script:progressFile = Get-WorkPath 'progress'
  $p = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($work.request)) | ConvertFrom-Json
  $printed = @()
  foreach ($step in @($p.steps)) {
    $work.doing = [string]$step.script
    Write-StepProgress ''
    Save-Work $work
    do {
      $fence = Get-WorkFence $p
      $answer = Get-AnswerTo {
        if (-not $Table.ContainsKey($work.doing)) { Stop-Request 'UNKNOWN-SCRIPT' 'there is no such script' }
        Assert-Fence $fence
        if ($null -ne $step.params.fence) { $step.params.fence = $fence }
        & $Table[$work.doing] $step.params
      }
    } while ($answer.code -eq 'FENCED' -and (Get-WorkFence $p) -gt $fence)
    if (-not $answer.ok) { $work.failed = [ordered]@{ script = $work.doing; code = [string]$answer.code; error = [string]$answer.error }; break }
    $printed += "$($work.doing): $(if ($answer.changed) { 'done' } else { 'nothing to do' })"
    $work.changed = $work.changed -or [bool]$answer.changed
    $work.done++
  }
  $work.doing = ''; $work.over = $true; $work.printed = $printed -join "`n"
  Save-Work $work
  $lock.Dispose()
}

# One look, by one asker at a time: starts the work, or finds it over and takes its result away. Nothing while it is under way.
# What another one asked for and that never began, such as for a connection that was cut in between, is started anew; once.
function Step-Work($p, $Sent, $Own) {
  $gate = $null
  while (-not $gate) { $gate = Open-Alone (Get-WorkPath 'gate'); if (-not $gate) { Start-Sleep -Milliseconds 50 } }
  try {
    if (Test-WorkRuns) { return }
    $work = Read-Work            # after the lock was seen free: what it says now is its last word
    if (-not $work) { $Own['token'] = Start-Work $p $Sent; return }
    $isYoung = -not $work.begun -and [DateTime]::UtcNow.Ticks - $work.asked -lt 200000000      # 20 s: PowerShell may start slowly
    if ($isYoung) { return }
    [IO.File]::Delete((Get-WorkPath 'json'))
    if ($work.id -ne $p.id) { return }
    if ($work.over) { return $work }
    if ($work.begun) { Stop-Request 'JOB-LOST' "the work ended without a result, at $(if ($work.doing) { $work.doing } else { 'its start' })" }
    if ($work.token -eq $Own['token']) { Stop-Request 'JOB-LOST' 'the work did not start within 20 s' }
  } finally { $gate.Dispose() }
}

function Assert-Steps($p) {
  Assert-Pattern 'id' $p.id '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}\z'
  Assert-Pattern 'waitMs' ([string]$p.waitMs) '^[0-9]{1,7}\z'
  foreach ($step in @($p.steps)) { if ([string]$step.script -cnotmatch '^[a-z-]{1,32}\z' -or $step.script -eq 'provision') { Stop-Request 'BAD-PARAMS' 'steps has something that is no script' } }
}

function Get-WorkState($Work, $p) {
  $mine = $Work -and $Work.id -eq $p.id
  $data = [ordered]@{
    over = [bool]($mine -and $Work.over); done = $(if ($mine) { [int]$Work.done } else { 0 }); of = @($p.steps).Count
    doing = $(if ($mine) { [string]$Work.doing } else { '' }); progress = ''
  }
  if ($data.doing) { $data.progress = ([string](Read-Beside (Get-WorkPath 'progress')) -replace '[^\x20-\x7e]', '?') -replace '^(.{79}).*\z', '$1' }
  if ($data.over) { $data['failed'] = $Work.failed; $data['printed'] = [string]$Work.printed }
  $data
}

function Invoke-Provision($p, $Sent) {
  Assert-Steps $p
  Join-Work $p
  Assert-Fence $p.fence
  $began = [DateTime]::UtcNow
  $own = @{}
  do {
    $result = Step-Work $p $Sent $own
    if ($result) { return [ordered]@{ ok = $true; changed = [bool]$result.changed; data = (Get-WorkState $result $p) } }
    Start-Sleep -Milliseconds 200
  } while ([DateTime]::UtcNow -lt $began.AddMilliseconds([double]$p.waitMs))
  [ordered]@{ ok = $true; changed = $false; data = (Get-WorkState (Read-Work) $p) }
}
