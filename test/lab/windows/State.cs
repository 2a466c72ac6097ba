// What Windows remembers, and how it stands in state.json. Written out by hand: a serializer would cost each of hundreds of processes 80 ms.
using System.Text;
using System.Text.Json;

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

static class StateText
{
    public static State Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        var state = new State();
        foreach (var p in document.RootElement.EnumerateObject()) Set(state, p.Name, p.Value);
        return state;
    }

    static void Set(State state, string name, JsonElement e)
    {
        switch (name)
        {
            case "boot": state.Boot = e.GetDateTime(); break;
            case "build": state.Build = e.GetString(); break;
            case "nics": state.Nics = All(e, e => new Nic { Device = Text(e, "device"), Name = Text(e, "name"), Index = Number(e, "index"), Guid = Text(e, "guid"), Component = Text(e, "component") }); break;
            case "routes": state.Routes = All(e, e => new Saved { Destination = Text(e, "destination"), NextHop = Text(e, "nextHop"), Metric = Number(e, "metric") }); break;
            case "networks":
                state.Networks = All(e, e => new Network { Id = Text(e, "id"), Name = Text(e, "name"), Driver = Text(e, "driver"), Subnet = Text(e, "subnet"), Gateway = Text(e, "gateway"), Device = Text(e, "device") });
                break;
            case "tasks":
                state.Tasks = All(e, e => new ScheduledTask
                {
                    Name = Text(e, "name"), Description = Text(e, "description"), Execute = Text(e, "execute"), Arguments = Text(e, "arguments"), UserId = Text(e, "userId"),
                    LogonType = Text(e, "logonType"), AtBoot = Flag(e, "atBoot"), Enabled = Flag(e, "enabled"), TimeLimit = Text(e, "timeLimit"), Priority = Number(e, "priority"),
                });
                break;
            case "switches": state.Switches = All(e, e => new Switch { Name = Text(e, "name"), Type = Text(e, "type"), Device = Text(e, "device") }); break;
            case "stopped": state.Stopped = All(e, e => e.GetString()); break;
            case "containers": foreach (var p in e.EnumerateObject()) state.Containers[p.Name] = p.Value.GetInt32(); break;
            case "language": state.Language = e.GetUInt32(); break;
            case "free": state.Free = e.GetInt64(); break;
            case "features": state.Features = Texts(e); break;
            case "remoteAccess": state.RemoteAccess = e.GetString(); break;
            case "images": state.Images = Texts(e); break;
            case "permissions": state.Permissions = Texts(e); break;
            case "registry":
                foreach (var key in e.EnumerateObject())
                {
                    var values = state.Registry[key.Name] = State.Blind<object>([]);
                    foreach (var p in key.Value.EnumerateObject()) values[p.Name] = Value(p.Value);
                }
                break;
            case "faults": state.Faults = Texts(e); break;
            default: throw new InvalidOperationException($"state.json has {name}, which nothing here reads");
        }
    }

    static List<T> All<T>(JsonElement e, Func<JsonElement, T> one)
    {
        var all = new List<T>();
        foreach (var each in e.EnumerateArray()) all.Add(one(each));
        return all;
    }

    static Dictionary<string, string> Texts(JsonElement e)
    {
        var texts = new Dictionary<string, string>();
        foreach (var p in e.EnumerateObject()) texts[p.Name] = p.Value.GetString();
        return texts;
    }

    static string Text(JsonElement e, string name) => e.GetProperty(name).GetString();
    static int Number(JsonElement e, string name) => e.GetProperty(name).GetInt32();
    static bool Flag(JsonElement e, string name) => e.GetProperty(name).GetBoolean();

    static object Value(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Number => e.GetInt32(),
        JsonValueKind.Array => All(e, e => e.GetString()).ToArray(),
        _ => e.GetString(),
    };

    public static string Write(State state)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("boot", state.Boot);
            json.WriteString("build", state.Build);
            Write(json, "nics", state.Nics, n => { Text(json, ("device", n.Device), ("name", n.Name), ("guid", n.Guid), ("component", n.Component)); json.WriteNumber("index", n.Index); });
            Write(json, "routes", state.Routes, r => { Text(json, ("destination", r.Destination), ("nextHop", r.NextHop)); json.WriteNumber("metric", r.Metric); });
            Write(json, "networks", state.Networks, n => Text(json, ("id", n.Id), ("name", n.Name), ("driver", n.Driver), ("subnet", n.Subnet), ("gateway", n.Gateway), ("device", n.Device)));
            Write(json, "tasks", state.Tasks, t =>
            {
                Text(json, ("name", t.Name), ("description", t.Description), ("execute", t.Execute), ("arguments", t.Arguments), ("userId", t.UserId), ("logonType", t.LogonType), ("timeLimit", t.TimeLimit));
                json.WriteBoolean("atBoot", t.AtBoot);
                json.WriteBoolean("enabled", t.Enabled);
                json.WriteNumber("priority", t.Priority);
            });
            Write(json, "switches", state.Switches, w => Text(json, ("name", w.Name), ("type", w.Type), ("device", w.Device)));
            Write(json, "stopped", state.Stopped);
            json.WriteStartObject("containers");
            foreach (var (name, count) in state.Containers) json.WriteNumber(name, count);
            json.WriteEndObject();
            json.WriteNumber("language", state.Language);
            json.WriteNumber("free", state.Free);
            Write(json, "features", state.Features);
            json.WriteString("remoteAccess", state.RemoteAccess);
            Write(json, "images", state.Images);
            Write(json, "permissions", state.Permissions);
            json.WriteStartObject("registry");
            foreach (var (key, values) in state.Registry)
            {
                json.WriteStartObject(key);
                foreach (var (name, value) in values) Write(json, name, value);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            Write(json, "faults", state.Faults);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    static void Write<T>(Utf8JsonWriter json, string name, List<T> all, Action<T> one)
    {
        json.WriteStartArray(name);
        foreach (var each in all) { json.WriteStartObject(); one(each); json.WriteEndObject(); }
        json.WriteEndArray();
    }

    static void Write(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    static void Write(Utf8JsonWriter json, string name, Dictionary<string, string> texts)
    {
        json.WriteStartObject(name);
        foreach (var (key, text) in texts) json.WriteString(key, text);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, string name, object value)
    {
        if (value is int number) json.WriteNumber(name, number);
        else if (value is string[] texts) Write(json, name, (IEnumerable<string>)texts);
        else json.WriteString(name, (string)value);
    }

    static void Text(Utf8JsonWriter json, params (string Name, string Text)[] members)
    {
        foreach (var (name, text) in members) json.WriteString(name, text);
    }
}
