# ScheduledTasks as far as our scripts call it, with 5.1's parameters. Write-NotFound is Network.psm1's.

function New-ScheduledTaskAction { [CmdletBinding()] param([Parameter(Mandatory)][string]$Execute, [string]$Argument, [string]$WorkingDirectory)
  [pscustomobject]@{ Execute = $Execute; Arguments = $Argument; WorkingDirectory = $WorkingDirectory } }

function New-ScheduledTaskTrigger { [CmdletBinding()] param([switch]$AtStartup)
  [pscustomobject]@{ Enabled = $true; CimClass = [pscustomobject]@{ CimClassName = 'MSFT_TaskBootTrigger' } } }

function New-ScheduledTaskPrincipal { [CmdletBinding()] param([Parameter(Mandatory)][string]$UserId, [string]$LogonType, [string]$RunLevel)
  [pscustomobject]@{ UserId = $UserId; LogonType = $LogonType; RunLevel = $RunLevel } }

function New-ScheduledTaskSettingsSet {
  [CmdletBinding()] param([timespan]$ExecutionTimeLimit, [int]$RestartCount, [timespan]$RestartInterval, [string]$MultipleInstances, [switch]$AllowStartIfOnBatteries, [switch]$DontStopIfGoingOnBatteries, [switch]$StartWhenAvailable, [int]$Priority = 7)
  [pscustomobject]@{ ExecutionTimeLimit = [System.Xml.XmlConvert]::ToString($ExecutionTimeLimit); Priority = $Priority }
}

function Register-ScheduledTask {
  [CmdletBinding()] param([Parameter(Mandatory)][string]$TaskName, [object[]]$Action, [object[]]$Trigger, $Settings, $Principal, [string]$Description, [switch]$Force)
  $task = [Lab.ScheduledTask]::new()
  $task.Name = $TaskName; $task.Description = $Description; $task.Execute = $Action[0].Execute; $task.Arguments = $Action[0].Arguments
  $task.UserId = $Principal.UserId; $task.LogonType = $Principal.LogonType; $task.AtBoot = [bool]$Trigger; $task.TimeLimit = $Settings.ExecutionTimeLimit; $task.Priority = $Settings.Priority
  if ([Lab.Services]::GetTask($TaskName) -and -not $Force) { throw 'Cannot create a file when that file already exists.' }
  [Lab.Services]::SaveTask($task)
  Get-ScheduledTask -TaskName $TaskName
}

function Unregister-ScheduledTask {
  [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param([Parameter(Position = 0)][string]$TaskName)
  $null = Get-ScheduledTask -TaskName $TaskName -ErrorAction Stop
  if ($PSCmdlet.ShouldProcess($TaskName)) { [Lab.Services]::RemoveTask($TaskName) }
}

function Get-ScheduledTask {
  [CmdletBinding()] param([Parameter(Position = 0)][string[]]$TaskName)
  $task = [Lab.Services]::GetTask($TaskName[0])
  if (-not $task) { Write-NotFound $PSCmdlet 'MSFT_ScheduledTask' @('TaskName'); return }
  $state = if (-not $task.Enabled) { 'Disabled' } elseif ([Lab.Services]::TaskRuns($task.Name)) { 'Running' } else { 'Ready' }
  [pscustomobject]@{
    TaskName = $task.Name; TaskPath = '\'; Description = $task.Description; State = $state
    Actions = @(New-ScheduledTaskAction -Execute $task.Execute -Argument $task.Arguments)
    Triggers = $(if ($task.AtBoot) { , @(New-ScheduledTaskTrigger -AtStartup) } else { $null })
    Principal = New-ScheduledTaskPrincipal -UserId $task.UserId -LogonType $task.LogonType
    Settings = [pscustomobject]@{ ExecutionTimeLimit = $task.TimeLimit; Priority = $task.Priority }
  }
}

function Start-ScheduledTask {
  [CmdletBinding()] param([Parameter(Position = 0)][string]$TaskName)
  $null = Get-ScheduledTask -TaskName $TaskName -ErrorAction Stop
  [Lab.Services]::StartTask($TaskName)
}

function Stop-ScheduledTask {
  [CmdletBinding()] param([Parameter(Position = 0)][string]$TaskName)
  $null = Get-ScheduledTask -TaskName $TaskName -ErrorAction Stop
  [Lab.Services]::End($TaskName, -not [Lab.Machine]::Read().Faults['orphan'])
}

Export-ModuleMember -Function *-ScheduledTask*
