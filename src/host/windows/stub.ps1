# Until component.ps1 is there.
function Get-InstalledComponent([string]$Component) { $null }
