// What stays running beside kubelet or kube-proxy: nssm, or the program of a scheduled task. Here each is a shell script.
using System.Text;
using System.Text.RegularExpressions;

namespace Lab;

static class Wrapper
{
    public static string PathOf(string name) => Path.Combine(Machine.Folder, "services", name + ".sh");
    public static string PausedMark(string name) => Path.Combine(Machine.Folder, "services", name + ".paused");

    // nssm starts what ended anew; one that lived shorter than AppThrottle leaves the service Paused until then.
    public static string OfNssm(string name)
    {
        object Value(string value) => Hive.Value(Services.KeyOf(name) + @"\Parameters", value);
        var script = new StringBuilder();
        foreach (var line in Value("AppEnvironmentExtra") as string[] ?? []) script.Append(Export(line));
        var program = Program((string)Value("Application"), (string)Value("AppParameters"));
        var (output, error) = (Value("AppStdout") as string, Value("AppStderr") as string);
        var throttle = Value("AppThrottle") as int? ?? 1500;
        var delay = Math.Max(Value("AppRestartDelay") as int? ?? 0, throttle) / 1000.0;
        script.Append($$"""
            while :; do
              start=$(date +%s%3N)
              {{program}} >>{{Quote(Local(output ?? @"C:\k\null"))}} 2>>{{Quote(Local(error ?? @"C:\k\null"))}} </dev/null
              [ $(($(date +%s%3N) - start)) -ge {{throttle}} ] || : >{{Quote(PausedMark(name))}}
              sleep {{delay}}
              rm -f {{Quote(PausedMark(name))}}
            done

            """);
        return script.ToString();
    }

    public static string OfTask(ScheduledTask task)
    {
        if (!task.Execute.EndsWith("cmd.exe")) return $"{Program(task.Execute, task.Arguments)} </dev/null\nexit\n";
        var file = task.Arguments.StartsWith("/d /s /c \"\"") ? task.Arguments[11..].TrimEnd('"') : throw new InvalidOperationException(task.Arguments + " is not modelled");
        return string.Concat(File.ReadAllText(Local(file)).Split("\r\n").Select(Translate));
    }

    // A batch file's line as the shell has it: as much as Fairway's wrapper needs.
    static string Translate(string line)
    {
        if (line is "" or "@echo off" || line.StartsWith("rem ")) return "";
        if (line.StartsWith("set \"")) return Export(line[5..^1]);
        if (line.StartsWith(':')) return "while :; do\n";
        if (line.StartsWith("goto ")) return "done\n";
        if (Regex.Match(line, @"^if exist ""(.*)"" for %%i in \(""\1""\) do if %%~zi gtr (\d+) move /y ""\1"" ""(.*)"" >nul$") is { Success: true, Groups: var part })
        {
            var (log, former) = (Quote(Local(part[1].Value)), Quote(Local(part[3].Value)));
            return $"[ ! -e {log} ] || [ $(stat -c %s {log}) -le {part[2].Value} ] || mv -f {log} {former}\n";
        }
        if (line.StartsWith("ping.exe -n ")) return $"sleep {int.Parse(line.Split(' ')[2]) - 1}\n";
        var end = line.LastIndexOf(" >>\"");
        if (!line.StartsWith('"') || end < 0 || !line.EndsWith("\" 2>&1")) throw new InvalidOperationException(line + " is not modelled");
        var exe = line[1..line.IndexOf('"', 1)];
        return $"{Program(exe, line[(exe.Length + 2)..end])} >>{Quote(Local(line[(end + 4)..^6]))} 2>&1 </dev/null\n";
    }

    // The copy of a shell that bears the program's name runs one and the same script (host.ts), with the program's arguments.
    static string Program(string exe, string arguments) =>
        string.Join(' ', new[] { Local(exe), Path.Combine(Machine.Folder, "services", "program") }.Concat(CommandLine.Split(arguments ?? "")).Select(Quote));

    static string Export(string line) => $"export {Quote(line)}\n";

    static string Local(string path) => path.StartsWith(@"C:\") ? Machine.Folder + path[2..].Replace('\\', '/') : path;

    static string Quote(string word) => "'" + word.Replace("'", @"'\''") + "'";
}
