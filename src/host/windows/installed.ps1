# How kubelet and kube-proxy are kept running here: as a service (of nssm, or by itself), or as a scheduled task.

# The wrapper's lines; Get-TaskSpec reads them again. The paths and arguments have no character that cmd.exe would take for its own.
# It starts what ended anew: Task Scheduler does so only for what could not be started at all. Nobody can rename a log that cmd.exe has open
# for what it runs, so one of more than 10 MiB is put aside between two runs, over the one before.
function Get-WrapperText($p) {
  $log = Get-ComponentLog $p.component; $former = $log -replace '\.log\z', '.1.log'
  $lines = @('@echo off', 'rem Written by Fairway, which writes it again when it differs.')
  $lines += @($p.environment | ForEach-Object { "set `"$_`"" })
  $lines += @(':run', "if exist `"$log`" for %%i in (`"$log`") do if %%~zi gtr 10485760 move /y `"$log`" `"$former`" >nul")
  $lines += @("`"$($p.executable)`" $($p.arguments) >>`"$log`" 2>&1", 'ping.exe -n 6 127.0.0.1 >nul', 'goto run', '')
  $lines -join "`r`n"
}

# Where nssm and the wrapper write, and logs.ps1 looks.
function Get-ComponentLog([string]$Component) { "$env:SystemDrive\k\logs\$Component.log" }

function Get-WrapperPath([string]$Component) { [IO.Path]::Combine((Get-StateFolder), "$Component.cmd") }

function Get-TaskMark { 'Kept running by Fairway' }

function Get-ServiceKey([string]$Name) { "HKLM:\SYSTEM\CurrentControlSet\Services\$Name" }

function Get-ComponentTask([string]$Component) { @(Get-Found { Get-ScheduledTask -TaskName $Component -ErrorAction Stop })[0] }

# A key's values; nothing when there is no such key.
function Get-KeyValues([string]$Key) {
  try { Get-ItemProperty -LiteralPath $Key -ErrorAction Stop } catch { if ([string]$_.FullyQualifiedErrorId -notlike 'PathNotFound,*') { throw } }
}

# The process of one executable, or $null. By its path: a wrapper, or another program of that name, is not it.
function Get-ProcessOf([string]$Executable) {
  $name = ($Executable -split '\\')[-1]
  if ($name -notmatch '^[\w.-]+\z') { return }
  $named = @(Get-CimInstance -ClassName Win32_Process -Filter "Name='$name'" -Property @('Name', 'ProcessId', 'ParentProcessId', 'CreationDate', 'ExecutablePath'))
  Get-Eldest @($named | Where-Object { $_.ExecutablePath -eq $Executable })
}

function Get-InstalledService([string]$Component, $Service) {
  $key = Get-ServiceKey $Component
  $values = Get-KeyValues $key
  $image = [string]$values.ImagePath
  $atBoot = $values.Start -eq 2
  if ($image -match '(^|[\\/"])nssm\.exe"?\s*\z') {
    $own = Get-KeyValues "$key\Parameters"
    $executable = [string]$own.Application
    return [ordered]@{
      manager = 'nssm'; ours = [bool]$own.Fairway; executable = $executable; arguments = [string]$own.AppParameters; environment = @($own.AppEnvironmentExtra | Where-Object { $_ })
      runs = [bool](Get-ProcessOf $executable); atBoot = $atBoot
    }
  }
  $null = $image -match '^("(?<exe>[^"]+)"|(?<exe>\S+))\s*(?<rest>.*)\z'
  [ordered]@{
    manager = 'other'; ours = $false; executable = [string]$Matches.exe; arguments = [string]$Matches.rest; environment = @($values.Environment | Where-Object { $_ })
    runs = ([string]$Service.Status -eq 'Running'); atBoot = $atBoot
  }
}

# What our wrapper runs; nothing when it is not there, or not as we write it.
function Get-TaskSpec([string]$Component) {
  $path = Get-WrapperPath $Component
  if (-not [IO.File]::Exists($path)) { return }
  $text = [IO.File]::ReadAllText($path)
  $run = [regex]::Match($text, '(?m)^"(?<exe>[^"]+)" (?<rest>.*) >>"[^"]*" 2>&1\r?$')
  if (-not $run.Success) { return }
  $environment = @([regex]::Matches($text, '(?m)^set "(.*)"\r?$') | ForEach-Object { $_.Groups[1].Value })
  @{ executable = $run.Groups['exe'].Value; arguments = $run.Groups['rest'].Value; environment = $environment }
}

function Get-InstalledTask([string]$Component, $Task) {
  $action = @($Task.Actions)[0]
  $isOurs = [string]$Task.Description -eq (Get-TaskMark)
  $spec = $(if ($isOurs) { Get-TaskSpec $Component })
  if (-not $spec) { $spec = @{ executable = $(if ($isOurs) { '' } else { [string]$action.Execute }); arguments = [string]$action.Arguments; environment = @() } }
  $boot = @($Task.Triggers | Where-Object { $_ -and $_.CimClass.CimClassName -eq 'MSFT_TaskBootTrigger' -and $_.Enabled })
  [ordered]@{
    manager = 'task'; ours = $isOurs; executable = $spec.executable; arguments = $spec.arguments; environment = @($spec.environment)
    runs = $(if ($isOurs) { [bool](Get-ProcessOf $spec.executable) } else { [string]$Task.State -eq 'Running' })
    atBoot = ($boot.Count -gt 0 -and [string]$Task.State -ne 'Disabled')
  }
}

# InstalledComponent of src/plan/machine.ts; $null with neither a service nor a task of that name. A service comes first, as in service.ps1.
function Get-InstalledComponent([string]$Component) {
  $service = @(Get-ComponentService $Component)
  if ($service.Count) { return (Get-InstalledService $Component $service[0]) }
  $task = Get-ComponentTask $Component
  if ($task) { return (Get-InstalledTask $Component $task) }
  $null
}
