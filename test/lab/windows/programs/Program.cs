// A Windows host's programs but PowerShell. Which one it is, is the first argument; the second is the host's folder.
using Lab;

Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true, NewLine = "\r\n" });
Machine.Folder = args[1];
var rest = args[2..];
return args[0] switch
{
    "docker" => Docker.Run(rest),
    "netsh" => Netsh.Run(rest),
    "shutdown" => Shutdown.Run(rest),
    "nssm" => Nssm.Run(rest),
    "route" => RouteExe.Run(rest),
    // What is none of Windows' programs, but what Windows does of itself.
    "boot" => Services.Boot(),
    "start" => Services.StartAny(rest[0]),
    _ => throw new ArgumentException(args[0]),
};
