# kubelet or kube-proxy kept running, over logout and reboot, or no longer: by nssm where it is on the path, else by a scheduled task.
# What is there already keeps its form. What is somebody else's is left alone.

function Assert-ComponentParams($p) {
  Assert-Component $p.component
  $names = @(Get-Executables $p.component)
  Assert-Executable 'executable' $p.executable
  # A probe knows the process by its name.
  if ($names -notcontains ($p.executable -split '\\')[-1]) { Stop-Request 'BAD-PARAMS' "executable is not called $($names -join ' or ')" }
  # Nothing that cmd.exe would take for its own, and no open quote.
  Assert-Pattern 'arguments' $p.arguments '^([A-Za-z0-9 =_.,:/@\\()+~-]|"[A-Za-z0-9 =_.,:/@\\()+~-]*"){0,2048}\z'
  foreach ($e in @($p.environment | Where-Object { $null -ne $_ })) { Assert-Pattern 'environment' $e '^[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9 =_.,:/@\\()+~-]*\z' }
  foreach ($d in @($p.dependsOn | Where-Object { $null -ne $_ })) { Assert-Name 'dependsOn' $d }
  Assert-Flag 'ensure' $p.ensure
}

# Somebody else's is what has not our mark. But nssm's own installing, cut off before the mark, leaves a service without a word after the executable.
function Assert-NotForeign($p, $Installed) {
  $isBegun = $Installed.manager -eq 'nssm' -and -not $Installed.arguments -and @('', $p.executable) -contains $Installed.executable
  if ($Installed.ours -or $isBegun) { return }
  $kind = if ($Installed.manager -eq 'task') { 'scheduled task' } else { 'service' }
  Stop-Request 'CONFLICT' "the $kind $($p.component) is not Fairway's: it starts $($Installed.executable)"
}

function Get-NssmPath([string]$Component) {
  $path = Get-Nssm
  if ($path) { return $path }
  [string](Get-KeyValues (Get-ServiceKey $Component)).ImagePath -replace '"'
}

# True when something had to be changed. Its values go to the registry directly: 5.1 would lose the quotes of a program's arguments.
function Set-NssmService($p, $Installed) {
  $key = Get-ServiceKey $p.component; $own = "$key\Parameters"; $nssm = Get-NssmPath $p.component; $changed = $false
  if (-not $Installed) {
    $r = Start-Program $nssm @('install', $p.component, $p.executable)
    if (-not @(Get-ComponentService $p.component).Count) { Stop-Request 'SERVICE' "nssm install ($($r.code)): $($r.err)" }
    $changed = $true
  }
  $log = Get-ComponentLog $p.component
  $want = [ordered]@{
    Fairway = $p.component       # the mark; nssm does not mind
    Application = $p.executable; AppDirectory = $p.executable -replace '\\[^\\]*\z'; AppParameters = $p.arguments
    AppEnvironmentExtra = [string[]]@($p.environment | Where-Object { $_ }); AppStdout = $log; AppStderr = $log
    AppRotateFiles = 1; AppRotateOnline = 1; AppRotateBytes = 10485760; AppThrottle = 1500; AppRestartDelay = 5000
  }
  if (-not (Test-Path -LiteralPath $own)) { $null = New-Item -Path $own -ErrorAction Stop }
  $has = Get-KeyValues $own
  foreach ($name in $want.Keys) {
    if ($null -ne $has.$name -and (@($has.$name) -join "`n") -ceq (@($want[$name]) -join "`n")) { continue }
    $type = if ($want[$name] -is [int]) { 'DWord' } elseif ($want[$name] -is [string]) { 'ExpandString' } else { 'MultiString' }
    $null = New-ItemProperty -LiteralPath $own -Name $name -PropertyType $type -Value $want[$name] -Force -ErrorAction Stop
    $changed = $true
  }
  $has = Get-KeyValues $key
  if ($has.Start -ne 2) { Set-Service -Name $p.component -StartupType Automatic -ErrorAction Stop; $changed = $true }
  # These the service manager keeps itself; it has to be told.
  foreach ($pair in @('ObjectName', @('LocalSystem')), @('DependOnService', @($p.dependsOn))) {
    $name, $value = $pair
    if (-not $value.Count -or (@($has.$name | Where-Object { $_ }) -join ' ') -eq ($value -join ' ')) { continue }
    $r = Start-Program $nssm (@('set', $p.component, $name) + $value)
    if ($r.code -ne 0) { Stop-Request 'SERVICE' "nssm set $name ($($r.code)): $($r.err)" }
    $changed = $true
  }
  $changed
}

function Test-TaskAsWritten($Task, [string]$Argument) {
  $action = @($Task.Actions)[0]
  [string]$Task.Description -eq (Get-TaskMark) -and $action.Execute -eq (Get-CmdPath) -and $action.Arguments -ceq $Argument -and
  [string]$Task.Principal.LogonType -eq 'ServiceAccount' -and [string]$Task.Settings.ExecutionTimeLimit -eq 'PT0S' -and $Task.Settings.Priority -eq 4
}

function Get-CmdPath { "$env:SystemRoot\System32\cmd.exe" }

# True when something had to be changed. No limit and a higher priority: by itself Windows would end it after 72 h, and run it below normal.
# SYSTEM by its SID, since its name is in the host's language.
function Set-WrapperTask($p, $Installed) {
  $path = Get-WrapperPath $p.component; $text = Get-WrapperText $p
  $argument = "/d /s /c `"`"$path`"`""
  $isWritten = [IO.File]::Exists($path) -and [IO.File]::ReadAllText($path) -ceq $text
  $isRegistered = $Installed -and $Installed.atBoot -and (Test-TaskAsWritten (Get-ComponentTask $p.component) $argument)
  if ($isWritten -and $isRegistered) { return $false }
  # cmd.exe reads a batch file line by line while it runs.
  if ($Installed) { Set-ComponentTask $p.component 'stop' }
  Write-Whole $path $text
  $action = New-ScheduledTaskAction -Execute (Get-CmdPath) -Argument $argument
  $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
  $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) -RestartCount 999 -RestartInterval ([TimeSpan]::FromMinutes(1)) `
    -MultipleInstances IgnoreNew -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -StartWhenAvailable -Priority 4
  $null = Register-ScheduledTask -TaskName $p.component -Action $action -Trigger (New-ScheduledTaskTrigger -AtStartup) -Principal $principal `
    -Settings $settings -Description (Get-TaskMark) -Force -ErrorAction Stop
  $true
}

# Waits for one process that is the same for so long: what ends is started anew after 5 s, by a wrapper that says it runs all the while.
# $Look gives the one that runs. Nothing when none stays within 12 s more. $IsFresh: one that is there has its start still to prove.
function Wait-StableProcess([scriptblock]$Look, [bool]$IsFresh, [int]$StayMs) {
  $until = [DateTime]::UtcNow.AddMilliseconds($StayMs + 12000); $first = $null; $since = $until
  do {
    $now = & $Look
    if (-not (Test-SameProcess $now $first)) {
      $first = $now; $since = [DateTime]::UtcNow
      if ($now -and -not $IsFresh) { $since = [DateTime]::Parse($now.started, [Globalization.CultureInfo]::InvariantCulture, 'RoundtripKind') }
    }
    if ($now -and [DateTime]::UtcNow -gt $since.AddMilliseconds($StayMs)) { return $now }
    Start-Sleep -Milliseconds 250
  } while ([DateTime]::UtcNow -lt $until)
}

# Refuses, with the last lines of its log.
function Stop-Unstable([string]$Component) {
  $file = Get-LogFile $Component
  $words = @(if ($file) { (Get-FileEnd $file.FullName).TrimEnd() -split '\r?\n' | Where-Object { $_ } })
  if ($words.Count -gt 4) { $words = $words[-4..-1] }
  Stop-Request 'SERVICE' "$Component does not stay up; $(if ($words.Count) { "its last words: $($words -join ' / ')" } else { 'it says nothing' })"
}

# The service or task goes, with what it started; not the binary, not the logs.
function Remove-Component($p, $Installed) {
  if ($Installed.manager -eq 'nssm') { Set-ComponentService $p.component 'stop' } else { Set-ComponentTask $p.component 'stop' }
  $left = Get-ProcessOf $p.executable
  if ($left) { Stop-Process -Id $left.pid -Force -ErrorAction Stop }
  if ($Installed.manager -eq 'nssm') {
    $r = Start-Program (Get-NssmPath $p.component) @('remove', $p.component, 'confirm')
    if (@(Get-ComponentService $p.component).Count) { Stop-Request 'SERVICE' "nssm remove ($($r.code)): $($r.err)" }
  } else {
    Unregister-ScheduledTask -TaskName $p.component -Confirm:$false -ErrorAction Stop
  }
}

function Invoke-Component($p) {
  Assert-ComponentParams $p
  Assert-Fence $p.fence
  $installed = Get-InstalledComponent $p.component
  if ($installed) { Assert-NotForeign $p $installed }
  if (-not $p.ensure) {
    $wrapper = Get-WrapperPath $p.component
    $changed = [bool]$installed -or [IO.File]::Exists($wrapper)
    if ($installed) { Remove-Component $p $installed }
    [IO.File]::Delete($wrapper)
    return [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ manager = $null; pid = $null } }
  }
  if (-not (Test-Path -LiteralPath $p.executable)) { Stop-Request 'NO-BINARY' "there is no $($p.executable)" }
  $null = New-Item -Path "$env:SystemDrive\k\logs" -ItemType Directory -Force -ErrorAction Stop
  $manager = if ($installed) { $installed.manager } elseif (Get-NssmPath $p.component) { 'nssm' } else { 'task' }
  $changed = if ($manager -eq 'nssm') { Set-NssmService $p $installed } else { Set-WrapperTask $p $installed }
  $isDown = -not (Get-ProcessOf $p.executable)
  if ($changed -or $isDown) {
    try { if ($manager -eq 'nssm') { Set-ComponentService $p.component 'restart' } else { Set-ComponentTask $p.component 'restart' } }
    catch { Stop-Request 'SERVICE' "$($p.component) can't be started: $($_.Exception.Message)" }
  }
  $stable = Wait-StableProcess { Get-ProcessOf $p.executable } ($changed -or $isDown) 8000
  if (-not $stable) { Stop-Unstable $p.component }
  [ordered]@{ ok = $true; changed = ($changed -or $isDown); data = [ordered]@{ manager = $manager; pid = $stable.pid } }
}
