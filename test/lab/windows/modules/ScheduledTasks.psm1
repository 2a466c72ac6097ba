# ScheduledTasks as far as our scripts call it. Write-NotFound is Network.psm1's.

function Get-ScheduledTask {
  [CmdletBinding()] param([Parameter(Position = 0)][string[]]$TaskName)
  $task = [Lab.Services]::Get($TaskName[0], $true)
  if ($task) { [pscustomobject]@{ TaskName = $task.Name; State = $(if ([Lab.Services]::Runs($task.Name)) { 'Running' } else { 'Ready' }) } }
  else { Write-NotFound $PSCmdlet 'MSFT_ScheduledTask' @('TaskName') }
}

function Start-ScheduledTask {
  [CmdletBinding()] param([Parameter(Position = 0)][string]$TaskName)
  $null = Get-ScheduledTask -TaskName $TaskName -ErrorAction Stop
  [Lab.Services]::Start($TaskName)
}

function Stop-ScheduledTask {
  [CmdletBinding()] param([Parameter(Position = 0)][string]$TaskName)
  $null = Get-ScheduledTask -TaskName $TaskName -ErrorAction Stop
  if (-not [Lab.Machine]::Read().Faults['orphan']) { [Lab.Services]::Stop($TaskName) }
}

Export-ModuleMember -Function *-ScheduledTask
