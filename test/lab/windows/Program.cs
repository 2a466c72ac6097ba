// powershell.exe, on PowerShell's own engine, and the shell that sshd starts. Which it is, is the first argument; the second is the host's folder.
using Lab;

Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true, NewLine = "\r\n" });
if (args is ["check-syntax", .. var files]) return Syntax.Check(files);
Machine.Folder = args[1];
var rest = args[2..];
return args[0] switch
{
    "shell" => Shell.Run(Environment.GetEnvironmentVariable("SSH_ORIGINAL_COMMAND")),
    "powershell" => Shell.PowerShell(rest),
    _ => throw new ArgumentException(args[0]),
};
