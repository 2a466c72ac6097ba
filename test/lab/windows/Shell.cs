// What sshd starts: cmd.exe /c <command>, and powershell.exe in the same process.
using System.Text;

namespace Lab;

static class Shell
{
    public static int Run(string command)
    {
        if (command == null) return Fail("no interactive sessions here");
        if (command.Length > 8191) return Fail("The command line is too long.");
        var words = CommandLine.Split(command.Split('\r', '\n')[0]);
        var program = words.Count == 0 ? "" : words[0].ToLowerInvariant();
        if (program is "powershell" or "powershell.exe") return PowerShell([.. words.Skip(1)]);
        return Fail($"'{program}' is not recognized as an internal or external command,\r\noperable program or batch file.");
    }

    public static int PowerShell(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i].ToLowerInvariant())
            {
                case "-noprofile" or "-noninteractive" or "-nologo": break;
                case "-executionpolicy" or "-outputformat" or "-inputformat": i++; break;
                case "-encodedcommand": return Engine.Run(Encoding.Unicode.GetString(Convert.FromBase64String(args[i + 1])));
                case "-command": return Engine.Run(string.Join(' ', args[(i + 1)..]));
                default: return Fail($"powershell: {args[i]} is not modelled");
            }
        }
        return Fail("powershell: nothing to run");
    }

    static int Fail(string text)
    {
        Console.Error.WriteLine(text);
        return 1;
    }
}
