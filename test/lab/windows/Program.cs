// A Windows host's programs, on PowerShell's own engine. Which one it is, is the first argument; the second is the host's folder.
using Lab;

Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true, NewLine = "\r\n" });
if (args is ["check-syntax", .. var files]) return Syntax.Check(files);
Machine.Folder = args[1];
var rest = args[2..];
return args[0] switch
{
    "shell" => Shell.Run(Environment.GetEnvironmentVariable("SSH_ORIGINAL_COMMAND")),
    "powershell" => Shell.PowerShell(rest),
    "docker" => Docker.Run(rest),
    "netsh" => Netsh.Run(rest),
    "shutdown" => Shutdown.Run(rest),
    "nssm" => Nssm.Run(rest),
    "boot" => Services.Boot(),
    "start" => Services.StartAny(rest[0]),
    "route" => RouteExe.Run(rest),
    _ => throw new ArgumentException(args[0]),
};
