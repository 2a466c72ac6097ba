# An image that docker has, pulled when it has not; or its removal. A pull takes minutes: it belongs in a provision job.

# Null when docker has no such image; docker must be known to answer. 1.12 has no `docker image`.
function Get-ImageId([string]$Image) {
  $r = Start-Program 'docker.exe' @('inspect', '--type', 'image', '--format', '{{.Id}}', $Image)
  if ($r.code -eq 0) { $r.out.Trim() } else { $null }
}

# What docker prints of a pull's layers, counted. It is told to people, and decides nothing.
function Write-PullProgress([string]$Line, [hashtable]$Layers) {
  if ($Line -cnotmatch '^([0-9a-f]{12}): (.+)\z') { return }
  $layer, $state = $Matches[1], $Matches[2]
  $Layers[$layer] = $state -cmatch '^(Pull complete|Already exists)'
  Write-StepProgress "$(@($Layers.Values | Where-Object { $_ }).Count) of $($Layers.Count) layers"
}

function Get-PulledWords([string]$Image) {
  $layers = @{}
  Start-Program 'docker.exe' @('pull', $Image) { param($line) Write-PullProgress $line $layers }
}

function Remove-Image([string]$Image) {
  $used = Start-Program 'docker.exe' @('ps', '--all', '--quiet', '--filter', "ancestor=$Image")
  if ($used.code -ne 0) { Stop-Request 'DOCKER' "docker ps ($($used.code)): $($used.err)" }
  $count = @($used.out -split '\s+' | Where-Object { $_ }).Count
  if ($count) { Stop-Request 'IN-USE' "$count containers are made from $Image" }
  Start-Program 'docker.exe' @('rmi', $Image)
}

function Invoke-Image($p) {
  Assert-Image 'image' $p.image
  Assert-Flag 'ensure' $p.ensure
  Assert-Fence $p.fence
  Assert-Docker
  $id = Get-ImageId $p.image
  $changed = [bool]$id -ne $p.ensure
  if ($changed) {
    $r = if ($p.ensure) { Get-PulledWords $p.image } else { Remove-Image $p.image }
    Assert-Docker
    $id = Get-ImageId $p.image
    if ([bool]$id -ne $p.ensure) { Stop-Request 'DOCKER' "docker $(if ($p.ensure) { 'pull' } else { 'rmi' }) ($($r.code)): $($r.err)" }
  }
  [ordered]@{ ok = $true; changed = $changed; data = [ordered]@{ id = $id } }
}
