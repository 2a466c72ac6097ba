// The host's processes, and the services and scheduled tasks that run some of them. Services are registry keys, tasks are in state.json.
namespace Lab;

public sealed record Service(string Name, string Image, int Start, string[] DependsOn)
{
    public bool IsNssm => Image.Trim('"').EndsWith("nssm.exe", StringComparison.OrdinalIgnoreCase);
}

public sealed class ScheduledTask
{
    public string Name { get; set; }
    public string Description { get; set; }
    public string Execute { get; set; }
    public string Arguments { get; set; }
    public string UserId { get; set; }
    public string LogonType { get; set; }
    public bool AtBoot { get; set; }
    public bool Enabled { get; set; } = true;
    public string TimeLimit { get; set; } = "PT72H";
    public int Priority { get; set; } = 7;
}

public sealed record Running(int Pid, int Parent, string Name, DateTime Started);

public static class Services
{
    // A session has a pid namespace of its own, so its /proc is not the host's; host.ts keeps that here.
    static string Proc => Path.Combine(Machine.Folder, "proc");
    static readonly List<ManualResetEvent> Ends = [];
    static readonly DateTime KernelBoot = DateTime.UnixEpoch.AddSeconds(long.Parse(File.ReadLines("/proc/stat").First(l => l.StartsWith("btime ")).Split(' ')[1]));

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
        return new(pid, int.Parse(fields[1]), name, KernelBoot.AddMilliseconds(long.Parse(fields[19]) * 10));
    }

    public static string PathOf(Running process) => Windows(new FileInfo(Path.Combine(Proc, $"{process.Pid}/exe")).LinkTarget);

    // A file of the host as Windows names it.
    static string Windows(string path) => path?.StartsWith(Machine.Folder + '/') == true ? "C:" + path[Machine.Folder.Length..].Replace('/', '\\') : path;

    // Windows' handle of a process is set when it ends; here a thread looks.
    public static IntPtr HandleOf(Running process)
    {
        var end = new ManualResetEvent(false);
        Ends.Add(end);
        new Thread(() => { while (Find(process.Pid) == process) Thread.Sleep(20); end.Set(); }) { IsBackground = true }.Start();
        return end.SafeWaitHandle.DangerousGetHandle();
    }

    public static string KeyOf(string name) => @"HKLM\SYSTEM\CurrentControlSet\Services\" + name;

    public static Service Get(string name) =>
        Hive.Value(KeyOf(name), "ImagePath") is string image
            ? new(name, image, Hive.Value(KeyOf(name), "Start") as int? ?? 3, Hive.Value(KeyOf(name), "DependOnService") as string[] ?? [])
            : null;

    public static ScheduledTask GetTask(string name) => Machine.Read().Tasks.Find(t => t.Name == name);

    public static void SaveTask(ScheduledTask task) => Machine.Update(s =>
    {
        s.Tasks.RemoveAll(t => t.Name == task.Name);
        s.Tasks.Add(task);
    });

    public static void RemoveTask(string name) => Machine.Update(s => s.Tasks.RemoveAll(t => t.Name == name));

    static IEnumerable<Service> All() => Machine.Read().Registry.Keys
        .Where(k => k.StartsWith(KeyOf(""), StringComparison.OrdinalIgnoreCase)).Select(k => Get(k[KeyOf("").Length..])).Where(s => s != null);

    // What a service or a task started: nssm itself, or the task's program.
    static Running WrapperOf(string name) => Processes().FirstOrDefault(p => p.Name == "sh" && CommandLine(p).Contains(Wrapper.PathOf(name)));

    static string CommandLine(Running process)
    {
        try { return File.ReadAllText(Path.Combine(Proc, $"{process.Pid}/cmdline")); }
        catch (IOException) { return ""; }
    }

    // A service that is none of nssm's has no process here: it runs unless it was stopped.
    public static string Status(string name)
    {
        if (!Get(name).IsNssm)
        {
            var state = Machine.Read();
            if (state.Stopped.Contains(name)) return "Stopped";
            return name == "docker" && state.DockerIsLate ? "StartPending" : "Running";
        }
        return WrapperOf(name) == null ? "Stopped" : File.Exists(Wrapper.PausedMark(name)) ? "Paused" : "Running";
    }

    public static bool TaskRuns(string name) => WrapperOf(name) != null;

    public static void Start(string name)
    {
        if (Machine.Read().Faults.TryGetValue("service", out var words)) throw new InvalidOperationException(words);
        var service = Get(name) ?? throw new InvalidOperationException($"Service '{name}' depends on a service that does not exist");
        foreach (var other in service.DependsOn) Start(other);
        if (!service.IsNssm) Machine.Update(s => s.Stopped.Remove(name));
        else Run(name, () => Wrapper.OfNssm(name));
    }

    public static void StartTask(string name) => Run(name, () => Wrapper.OfTask(GetTask(name)));

    // For whoever plays the service manager from outside.
    public static int StartAny(string name)
    {
        if (Get(name) != null) Start(name); else StartTask(name);
        return 0;
    }

    static void Run(string name, Func<string> script)
    {
        if (WrapperOf(name) != null) return;
        File.Delete(Wrapper.PausedMark(name));
        File.WriteAllText(Wrapper.PathOf(name), script());
        Machine.StartDetached("sh " + Wrapper.PathOf(name));
        for (var i = 0; WrapperOf(name) == null && i < 200; i++) Thread.Sleep(10);
    }

    // A task that is stopped may leave behind what its program started.
    public static void End(string name, bool withChildren)
    {
        if (WrapperOf(name) is not { } wrapper) return;
        var all = Processes().Where(p => p == wrapper || (withChildren && p.Parent == wrapper.Pid)).ToList();
        Machine.StartDetached($"sh -c 'kill -9 {string.Join(' ', all.Select(p => p.Pid))}'");
        while (all.Exists(p => Find(p.Pid) == p)) Thread.Sleep(10);
    }

    static void Stop(string name)
    {
        if (Get(name).IsNssm) End(name, true);
        else Machine.Update(s => s.Stopped.Add(name));
    }

    public static IEnumerable<string> Dependents(string name) => All().Where(s => s.DependsOn.Contains(name)).Select(s => s.Name);

    // What a forced stop took along, the service itself last.
    public static List<string> StopWithDependents(string name, bool force)
    {
        var others = Dependents(name).Where(other => Status(other) != "Stopped").ToList();
        if (others.Count > 0 && !force)
            throw new InvalidOperationException($"Cannot stop service '{name} ({name})' because it has dependent services. It can only be stopped if the Force flag is set.");
        List<string> all = [.. others.SelectMany(other => StopWithDependents(other, force)), name];
        all.ForEach(Stop);
        return all;
    }

    // What the service manager and the task scheduler do of themselves when Windows starts.
    public static int Boot()
    {
        Machine.Update(s => s.Stopped.RemoveAll(name => Get(name)?.Start == 2));
        foreach (var service in All().Where(s => s.Start == 2).ToList()) Start(service.Name);
        foreach (var task in Machine.Read().Tasks.Where(t => t.AtBoot && t.Enabled)) StartTask(task.Name);
        return 0;
    }
}
