// What Windows remembers, as it stands in state.json. Written out by hand: a serializer would cost each of hundreds of processes 80 ms.
using System.Text;
using System.Text.Json;

namespace Lab;

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
