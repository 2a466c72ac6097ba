// The host's processes, and the services and scheduled tasks that start them (state.json has those; host.ts what they run).
namespace Lab;

public sealed class Service
{
    public string Name { get; set; }
    public bool IsTask { get; set; }
    public string DependsOn { get; set; }
}

public sealed record Running(int Pid, int Parent, string Name, DateTime Started);

public static class Services
{
    // A session has a pid namespace of its own, so its /proc is not the host's; host.ts keeps that here.
    static string Proc => Path.Combine(Machine.Folder, "proc");
    static readonly List<ManualResetEvent> Ends = [];

    public static IEnumerable<Running> Processes() =>
        Directory.GetDirectories(Proc).Select(d => int.TryParse(Path.GetFileName(d), out var pid) ? Find(pid) : null).Where(p => p != null);

    public static Running Find(int pid)
    {
        string stat;
        try { stat = File.ReadAllText(Path.Combine(Proc, $"{pid}/stat")); }
        catch (IOException) { return null; }
        var name = stat[(stat.IndexOf('(') + 1)..stat.LastIndexOf(')')];
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        if (fields[0] is "Z" or "X") return null;
        var boot = File.ReadLines("/proc/stat").First(l => l.StartsWith("btime ")).Split(' ')[1];
        return new(pid, int.Parse(fields[1]), name, DateTime.UnixEpoch.AddSeconds(long.Parse(boot)).AddMilliseconds(long.Parse(fields[19]) * 10));
    }

    // Windows' handle of a process is set when it ends; here a thread looks.
    public static IntPtr HandleOf(Running process)
    {
        var end = new ManualResetEvent(false);
        Ends.Add(end);
        new Thread(() => { while (Find(process.Pid) == process) Thread.Sleep(20); end.Set(); }) { IsBackground = true }.Start();
        return end.SafeWaitHandle.DangerousGetHandle();
    }

    public static Service Get(string name, bool isTask) => Machine.Read().Services.Find(s => s.Name == name && s.IsTask == isTask);

    static Running ProcessOf(string name) => Processes().FirstOrDefault(p => p.Name == name + ".exe");

    public static bool Runs(string name) => ProcessOf(name) != null;

    public static void Start(string name)
    {
        if (Machine.Read().Faults.TryGetValue("service", out var words)) throw new InvalidOperationException(words);
        if (Runs(name)) return;
        Machine.StartDetached("sh " + Path.Combine(Machine.Folder, "services", name));
        while (!Runs(name)) Thread.Sleep(10);
    }

    public static void Stop(string name)
    {
        if (ProcessOf(name) is not { } process) return;
        Machine.StartDetached($"sh -c 'kill -9 {process.Pid}'");
        while (Find(process.Pid) == process) Thread.Sleep(10);
    }

    // What a forced stop took along, the service itself last.
    public static List<string> StopWithDependents(string name, bool force)
    {
        var others = Machine.Read().Services.Where(s => s.DependsOn == name && Runs(s.Name)).Select(s => s.Name).ToList();
        if (others.Count > 0 && !force)
            throw new InvalidOperationException($"Cannot stop service '{name} ({name})' because it has dependent services. It can only be stopped if the Force flag is set.");
        List<string> all = [.. others, name];
        all.ForEach(Stop);
        return all;
    }
}
