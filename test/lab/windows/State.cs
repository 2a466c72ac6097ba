// What Windows remembers; StateText.cs has it as text.
namespace Lab;

public sealed class State
{
    public DateTime Boot { get; set; }
    public string Build { get; set; }
    public List<Nic> Nics { get; set; } = [];
    public List<Saved> Routes { get; set; } = [];
    public List<Network> Networks { get; set; } = [];
    public List<ScheduledTask> Tasks { get; set; } = [];
    // Services without a process here that were stopped.
    public List<string> Stopped { get; set; } = [];
    // Docker network name → how many containers are on it.
    public Dictionary<string, int> Containers { get; set; } = [];
    // What Windows speaks, as an LCID: 1033.
    public uint Language { get; set; }
    // Bytes of the system drive.
    public long Free { get; set; }
    // Name → its InstallState.
    public Dictionary<string, string> Features { get; set; } = [];
    // "", or what Install-RemoteAccess -VpnType takes.
    public string RemoteAccess { get; set; }
    public List<Switch> Switches { get; set; } = [];
    // Docker images: name → id.
    public Dictionary<string, string> Images { get; set; } = [];
    // Path → its SDDL, where it is not the usual one; null: nobody is told.
    public Dictionary<string, string> Permissions { get; set => field = Blind(value); } = [];
    // HKLM: full key path → value name → string, int or string[] (Registry.cs).
    public Dictionary<string, Dictionary<string, object>> Registry { get; set => field = Blind(value.ToDictionary(k => k.Key, k => Blind(k.Value))); } = [];
    // What is broken: docker, docker-slow (ms), stubborn (a route's store that Remove-NetRoute forgets), duplicate (an address), lose-address (of a NIC that a switch takes or gives back), wmi,
    // service (what Start-Service says), orphan (a task that is stopped leaves its process), crash (a program that ends at once), restart-needed (a feature waits for one), linger (ms: of a host that
    // goes down), docker-late (ms: docker answers so long after each boot), docker-until (a time: it does not answer before, and starts meanwhile
    // unless it is stopped), features and switch (what their cmdlets say), remote-access (its service does not start by itself), no-hyper-v, no-vmms (what Get-VMSwitch says without Hyper-V's service), not-admin, language-mode, pull (what it says at half).
    public Dictionary<string, string> Faults { get; set; } = [];

    public bool DockerIsLate => Faults.TryGetValue("docker-until", out var time) && DateTime.UtcNow < DateTime.Parse(time).ToUniversalTime();

    // Names of Windows are the same in capitals and in small letters.
    public static Dictionary<string, T> Blind<T>(Dictionary<string, T> names) => new(names, StringComparer.OrdinalIgnoreCase);
}

public sealed class Nic
{
    public string Device { get; set; }
    public string Name { get; set; }
    public int Index { get; set; }
    public string Guid { get; set; }
    public string Component { get; set; }
}

public sealed class Saved
{
    public string Destination { get; set; }
    public string NextHop { get; set; }
    public int Metric { get; set; }
}

public sealed class Network
{
    public string Id { get; set; }
    public string Name { get; set; }
    public string Driver { get; set; }
    public string Subnet { get; set; }
    public string Gateway { get; set; }
    public string Device { get; set; }
}

public sealed class Switch
{
    public string Name { get; set; }
    public string Type { get; set; }
    public string Device { get; set; }
}
