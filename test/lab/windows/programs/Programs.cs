// docker.exe, netsh.exe, route.exe and shutdown.exe, as far as our scripts call them.

namespace Lab;

static class Docker
{
    public static int Run(string[] args)
    {
        var state = Machine.Read();
        if (state.Faults.TryGetValue("docker", out var words)) return Fail(words);
        if (state.DockerIsLate) return Fail("error during connect: open //./pipe/docker_engine: The system cannot find the file specified.");
        switch (args)
        {
            case ["network", "ls", "--quiet", "--no-trunc"]:
                foreach (var n in state.Networks) Console.WriteLine(n.Id);
                return 0;
            case ["network", "inspect", .. var ids]:
                var found = ids.Select(id => state.Networks.Find(n => n.Id == id || n.Name == id)).ToList();
                if (found.Contains(null)) return Fail("Error: No such network: " + ids[found.IndexOf(null)]);
                Console.WriteLine($"[{string.Join(',', found.Select(Inspected))}]");
                return 0;
            case ["network", "create", "-d", "transparent", "--subnet", var subnet, "--gateway", var gateway, "-o", var option, var name]:
                Slow(state);
                return Try(() => Machine.Update(s => Create(s, subnet, gateway, option, name)));
            case ["network", "rm", var name]:
                Slow(state);
                return Try(() => Machine.Update(s => Remove(s, name)));
            case ["version", "--format", "{{.Server.Version}}"]:
                Console.WriteLine("1.12.2-cs2-ws-beta");
                return 0;
            case ["inspect", "--type", "image", "--format", "{{.Id}}", var image]:
                if (!state.Images.TryGetValue(image, out var id)) return Fail("Error: No such image: " + image);
                Console.WriteLine(id);
                return 0;
            case ["pull", var image]:
                return Pull(state, image);
            case ["rmi", var image]:
                return Try(() => Machine.Update(s => s.Images.Remove(image)));
            case ["ps", "--all", "--quiet", "--filter", var ancestor]:
                for (var i = 0; i < state.Containers.GetValueOrDefault(ancestor.Split('=')[1]); i++) Console.WriteLine($"{i:x12}");
                return 0;
            case ["ps", "--quiet", "--filter", var filter]:
                var count = state.Containers.GetValueOrDefault(filter.Split('=')[1]);
                for (var i = 0; i < count; i++) Console.WriteLine($"{i:x12}");
                return 0;
            default:
                return Fail("docker: not modelled: " + string.Join(' ', args));
        }
    }

    static string Inspected(Network n)
    {
        var config = n.Subnet == null ? "null" : $$"""[{"Subnet":"{{n.Subnet}}","Gateway":"{{n.Gateway}}"}]""";
        return $$$"""{"Name":"{{{n.Name}}}","Id":"{{{n.Id}}}","Driver":"{{{n.Driver}}}","IPAM":{"Driver":"windows","Config":{{{config}}} } }""";
    }

    // As docker prints it where stdout is no terminal: a line for each change of a layer.
    static int Pull(State state, string image)
    {
        Console.WriteLine($"Using default tag: latest\nlatest: Pulling from {image}");
        string[] layers = ["3889bb8d808b", "b0e8ba5c5b3f", "9a1bd04f2d81", "c04b14da8d14"];
        foreach (var layer in layers) Console.WriteLine(layer + ": Pulling fs layer");
        for (var i = 0; i < layers.Length; i++)
        {
            Slow(state);
            if (i == layers.Length / 2 && state.Faults.TryGetValue("pull", out var words)) return Fail(words);
            foreach (var step in new[] { "Verifying Checksum", "Download complete", "Pull complete" }) Console.WriteLine($"{layers[i]}: {step}");
        }
        Machine.Update(s => s.Images[image] = "sha256:" + Guid.NewGuid().ToString("N"));
        Console.WriteLine($"Status: Downloaded newer image for {image}:latest");
        return 0;
    }

    static void Slow(State state)
    {
        if (state.Faults.TryGetValue("docker-slow", out var ms)) Thread.Sleep(int.Parse(ms));
    }

    static void Create(State state, string subnet, string gateway, string option, string name)
    {
        if (state.Networks.Exists(n => n.Name == name)) throw new InvalidOperationException($"network with name {name} already exists");
        const string prefix = "com.docker.network.windowsshim.interface=";
        var nic = option.StartsWith(prefix) ? state.Nics.Find(n => n.Name == option[prefix.Length..]) : null;
        if (nic == null) throw new InvalidOperationException("HNS failed with error : Element not found.");
        var network = new Network { Id = Guid.NewGuid().ToString("N"), Name = name, Driver = "transparent", Subnet = subnet, Gateway = gateway };
        Machine.MakeSwitch(state, network, nic);
        state.Networks.Add(network);
    }

    static void Remove(State state, string name)
    {
        var network = state.Networks.Find(n => n.Name == name) ?? throw new InvalidOperationException("No such network: " + name);
        if (state.Containers.GetValueOrDefault(name) > 0) throw new InvalidOperationException($"network {name} has active endpoints");
        Machine.RemoveSwitch(state, network);
        state.Networks.Remove(network);
    }

    static int Try(Action action)
    {
        try { action(); return 0; }
        catch (InvalidOperationException e) { return Fail("Error response from daemon: " + e.Message); }
    }

    static int Fail(string words)
    {
        Console.Error.WriteLine(words);
        return 1;
    }
}

static class Netsh
{
    public static int Run(string[] args)
    {
        var state = Machine.Read();
        // Localized on purpose: nothing may read what netsh says.
        if (state.Faults.TryGetValue("netsh", out var words)) { Console.WriteLine(words); return 1; }
        try
        {
            switch (args)
            {
                case ["interface", "ipv4", "set", "interface", var index, var forwarding, "store=persistent"]:
                    Machine.SetForwarding(int.Parse(index), Value(forwarding, "forwarding") == "enabled");
                    return 0;
                case ["interface", "ipv4", "set", "address", var name, "source=static", var address, var mask, "gateway=none", "store=persistent"]:
                    var device = Machine.Find(state, int.Parse(Value(name, "name"))).Device;
                    Machine.Ip("-4", "address", "flush", "dev", device);
                    Machine.Ip("address", "add", $"{Value(address, "address")}/{Length(mask)}", "dev", device);
                    return 0;
                case ["interface", "ipv4", "add", "address", var name, var address, var mask, "store=persistent"]:
                    Machine.Ip("address", "add", $"{Value(address, "address")}/{Length(mask)}", "dev", Machine.Find(state, int.Parse(Value(name, "name"))).Device);
                    return 0;
                case ["interface", "ipv4", "delete", "address", var name, var address]:
                    var nic = Machine.Find(state, int.Parse(Value(name, "name")));
                    var held = Machine.Addresses().First(a => a.Index == nic.Index && a.Ip == Value(address, "address"));
                    Machine.Ip("address", "del", $"{held.Ip}/{held.Length}", "dev", nic.Device);
                    return 0;
            }
        }
        catch (InvalidOperationException)
        {
            Console.WriteLine("Die Syntax für den Dateinamen, Verzeichnisnamen oder die Datenträgerbezeichnung ist falsch.");
            return 1;
        }
        Console.WriteLine("netsh: not modelled: " + string.Join(' ', args));
        return 1;
    }

    static int Length(string mask) => Value(mask, "mask").Split('.').Sum(part => System.Numerics.BitOperations.PopCount(uint.Parse(part)));

    static string Value(string word, string key) => word.StartsWith(key + "=") ? word[(key.Length + 1)..] : throw new InvalidOperationException(word);
}

static class RouteExe
{
    // Its exit code says nothing, as the real one's.
    public static int Run(string[] args)
    {
        if (args is not ["delete", var network, "mask", var mask, var hop]) { Console.WriteLine("route: not modelled"); return 0; }
        var length = mask.Split('.').Sum(part => System.Numerics.BitOperations.PopCount(uint.Parse(part)));
        foreach (var route in Machine.ActiveRoutes().Concat(Machine.SavedRoutes()))
        {
            if (route.Destination == $"{network}/{length}" && route.NextHop == hop) Machine.RemoveRoute(route);
        }
        return 0;
    }
}

static class Shutdown
{
    // When the host begins to go down; there from the first call on, until it is up again (host.ts).
    static string Begins => Path.Combine(Machine.Folder, "going-down");

    // The wrapper (host.ts) sees the host end with the file `restart` there, and starts it anew.
    public static int Run(string[] args)
    {
        if (args is not ["/r", "/f", "/t", var seconds, "/d", "p:4:1"]) { Console.Error.WriteLine("shutdown: not modelled"); return 1; }
        if (Machine.Read().Faults.TryGetValue("shutdown", out var words)) { Console.Error.WriteLine(words); return 5; }
        if (File.Exists(Begins))
        {
            var hasBegun = DateTime.UtcNow.Ticks > long.Parse(File.ReadAllText(Begins));
            Console.Error.WriteLine(hasBegun ? "A system shutdown is in progress.(1115)" : "A system shutdown has already been scheduled.(1190)");
            return hasBegun ? 1115 : 1190;
        }
        File.WriteAllText(Begins, DateTime.UtcNow.AddSeconds(int.Parse(seconds)).Ticks.ToString());
        // Services take their time to end; sessions go on meanwhile.
        var linger = int.Parse(Machine.Read().Faults.GetValueOrDefault("linger", "0")) / 1000.0;
        Machine.StartDetached($"sh -c 'sleep {seconds}; sleep {linger}; touch {Path.Combine(Machine.Folder, "restart")}; kill -TERM 1'");
        return 0;
    }
}
