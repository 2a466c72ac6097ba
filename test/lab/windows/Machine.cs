// The host: what Windows remembers is in state.json, what is active is in the namespace's kernel.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Numerics;

namespace Lab;

public sealed record Route(string Store, string Destination, string NextHop, int Index, string Alias, int Metric);
public sealed record Address(string Ip, int Length, int Index, string Alias, string State);
public sealed record Interface(int Index, string Alias, string Device, bool Forwarding);

public static class Machine
{
    public static string Folder;
    static string StateFile => Path.Combine(Folder, "state.json");

    public static State Read() => StateText.Read(File.ReadAllText(StateFile));

    public static void Update(Action<State> change)
    {
        using var gate = Lock();
        var state = Read();
        change(state);
        File.WriteAllText(StateFile + ".new", StateText.Write(state));
        File.Move(StateFile + ".new", StateFile, true);
    }

    static FileStream Lock()
    {
        while (true)
        {
            try { return File.Open(StateFile + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
            catch (IOException) { Thread.Sleep(5); }
        }
    }

    public static string Ip(params string[] args) => Run("ip", null, args);

    public static string Run(string program, string input, params string[] args)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(error.Result.Trim());
    }

    public static Nic Find(State state, int index) => state.Nics.Find(n => n.Index == index) ?? throw new InvalidOperationException($"no interface {index}");

    // Read where the kernel shows them: a start of `ip` for each would be a sixth of what the tests of Windows cost.
    public static List<Route> ActiveRoutes()
    {
        var state = Read();
        var routes = new List<Route>();
        foreach (var line in File.ReadLines("/proc/net/route").Skip(1))
        {
            // Iface Destination Gateway Flags RefCnt Use Metric Mask …
            var fields = line.Split('\t', StringSplitOptions.TrimEntries);
            if (state.Nics.Find(n => n.Device == fields[0]) is not { } nic) continue;
            var metric = int.Parse(fields[6]);
            routes.Add(new("ActiveStore", $"{Dotted(fields[1])}/{BitOperations.PopCount(Hex(fields[7]))}", Dotted(fields[2]), nic.Index, nic.Name, metric == 0 ? 256 : metric));
        }
        // Windows, too, has one for each address.
        routes.AddRange(Addresses().Select(a => new Route("ActiveStore", a.Ip + "/32", "0.0.0.0", a.Index, a.Alias, 256)));
        routes.AddRange(state.Nics.Append(Loopback).Select(n => new Route("ActiveStore", "224.0.0.0/4", "0.0.0.0", n.Index, n.Name, 256)));
        routes.Add(new("ActiveStore", "127.0.0.0/8", "0.0.0.0", Loopback.Index, Loopback.Name, 256));
        return routes;
    }

    // As the kernel writes an address: the memory's own order of bytes.
    static uint Hex(string text) => uint.Parse(text, NumberStyles.HexNumber);
    static string Dotted(string hex) => new IPAddress(Hex(hex)).ToString();

    // The registry's persistent routes have no interface.
    public static List<Route> SavedRoutes() => [.. Read().Routes.Select(r => new Route("PersistentStore", r.Destination, r.NextHop, 0, "", r.Metric))];

    static readonly Nic Loopback = new() { Device = "lo", Name = "Loopback Pseudo-Interface 1", Index = 1 };

    public static void AddRoute(string destination, int index, string nextHop, int metric, bool save)
    {
        var nic = Find(Read(), index);
        var same = ActiveRoutes().Any(r => r.Destination == destination && r.NextHop == nextHop && r.Index == index)
            || (save && Read().Routes.Any(r => r.Destination == destination && r.NextHop == nextHop));
        if (same) throw new InvalidOperationException("Instance MSFT_NetRoute already exists");
        // append: Windows keeps two routes that differ in the next hop alone.
        try { Ip("route", "append", destination, "via", nextHop, "dev", nic.Device, "onlink", "proto", "static", "metric", metric.ToString()); }
        catch (InvalidOperationException) { throw new InvalidOperationException("The parameter is incorrect."); }
        if (save) Update(s => s.Routes.Add(new Saved { Destination = destination, NextHop = nextHop, Metric = metric }));
    }

    public static void RemoveRoute(Route route)
    {
        if (route.Store == "PersistentStore") Update(s => s.Routes.RemoveAll(r => r.Destination == route.Destination && r.NextHop == route.NextHop));
        else Ip("route", "del", route.Destination, "via", route.NextHop, "dev", Find(Read(), route.Index).Device, "metric", route.Metric.ToString());
    }

    public static List<Address> Addresses()
    {
        var state = Read();
        var all = new List<Address>();
        foreach (var link in NetworkInterface.GetAllNetworkInterfaces())
        {
            var nic = link.Name == "lo" ? Loopback : state.Nics.Find(n => n.Device == link.Name);
            if (nic == null) continue;
            foreach (var a in link.GetIPProperties().UnicastAddresses.Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork))
            {
                var ip = a.Address.ToString();
                var duplicate = state.Faults.TryGetValue("duplicate", out var taken) && taken == ip;
                all.Add(new(ip, a.PrefixLength, nic.Index, nic.Name, duplicate ? "Duplicate" : "Preferred"));
            }
        }
        return all;
    }

    static string ForwardingFile(string device) => $"/proc/sys/net/ipv4/conf/{device}/forwarding";

    public static List<Interface> Interfaces() =>
        [.. Read().Nics.Append(Loopback).Where(n => Directory.Exists("/sys/class/net/" + n.Device))
            .Select(n => new Interface(n.Index, n.Name, n.Device, File.ReadAllText(ForwardingFile(n.Device)).Trim() == "1"))];

    public static void SetForwarding(int index, bool on)
    {
        File.WriteAllText(ForwardingFile(Find(Read(), index).Device), on ? "1" : "0");
        ApplyStrongHost();
    }

    // The strong host model: an interface that does not forward takes nothing in for another one's address.
    static void ApplyStrongHost()
    {
        var rules = Interfaces().Where(i => i.Index != Loopback.Index && !i.Forwarding)
            .Select(i => $"add rule ip strong input iifname \"{i.Device}\" fib daddr type local fib daddr . iif type != local drop\n");
        Run("nft", "add table ip strong\nflush table ip strong\nadd chain ip strong input { type filter hook prerouting priority -150; }\n" + string.Concat(rules), "-f", "-");
    }

    public static string Mac(Nic nic) => File.ReadAllText($"/sys/class/net/{nic.Device}/address").Trim().Replace(':', '-').ToUpperInvariant();

    public static IEnumerable<(Nic Nic, string Mac)> Adapters() =>
        Read().Nics.Where(n => Directory.Exists("/sys/class/net/" + n.Device)).Select(n => (n, Mac(n)));

    // The external virtual switch: a bridge that takes the NIC's MAC and addresses, and the NIC goes down and up.
    public static void MakeSwitch(State state, Network network, Nic nic)
    {
        var device = network.Device = "hns" + (state.Networks.Count + 1);
        var addresses = Addresses().Where(a => a.Index == nic.Index).ToList();
        Ip("link", "add", device, "address", Mac(nic).Replace('-', ':'), "type", "bridge");
        File.WriteAllText(ForwardingFile(device), "0");
        Ip("link", "set", nic.Device, "down");
        Ip("address", "flush", "dev", nic.Device);
        Ip("link", "set", nic.Device, "master", device);
        foreach (var link in new[] { nic.Device, device }) Ip("link", "set", link, "up");
        Move(state, addresses, device);
        var name = "vEthernet (HNSTransparent)";
        state.Nics.Add(new() { Device = device, Name = name, Index = state.Nics.Max(n => n.Index) + 3, Guid = NewGuid(), Component = "vms_mp" });
        ApplyStrongHost();
    }

    static void Move(State state, List<Address> addresses, string device)
    {
        if (state.Faults.ContainsKey("lose-address")) return;
        foreach (var a in addresses) Ip("address", "add", $"{a.Ip}/{a.Length}", "dev", device);
    }

    public static void RemoveSwitch(State state, Network network)
    {
        var from = state.Nics.Find(n => n.Device == network.Device);
        var addresses = Addresses().Where(a => a.Index == from.Index).ToList();
        var nic = state.Nics.Find(n => n != from && Mac(n) == Mac(from));
        Ip("link", "del", network.Device);
        if (nic != null) Move(state, addresses, nic.Device);
        state.Nics.RemoveAll(n => n.Device == network.Device);
    }

    public static string NewGuid() => "{" + Guid.NewGuid().ToString().ToUpperInvariant() + "}";

    // The host's WMI service reads file names from a pipe (host.ts), and runs each file's command.
    public static uint StartDetached(string command)
    {
        if (Read().Faults.TryGetValue("wmi", out var code)) return uint.Parse(code);
        var job = Path.Combine(Folder, "wmi-" + Guid.NewGuid().ToString("N"));
        File.WriteAllText(job, "exec " + command + "\n");
        File.AppendAllText(Path.Combine(Folder, "wmi"), job + "\n");
        return 0;
    }
}
