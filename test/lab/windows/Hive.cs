// HKLM, kept in state.json: full key path → value name → text, number or list of texts. A key is there when it, or one below it, is listed.
namespace Lab;

static class Hive
{
    public static bool IsWithin(string key, string path) => (key + '\\').StartsWith(path + '\\', StringComparison.OrdinalIgnoreCase);

    public static object Value(string key, string name) =>
        Machine.Read().Registry.TryGetValue(key, out var values) && values.TryGetValue(name, out var value) ? value : null;

    // The kind of a value is what it is by .NET: Int32 (DWord), String[] (MultiString), else text.
    public static void SetValue(string key, string name, object value) => Machine.Update(s =>
    {
        if (!s.Registry.ContainsKey(key)) s.Registry[key] = [];
        s.Registry[key][name] = value is int or string[] ? value : value?.ToString();
    });

    public static void RemoveKey(string key) => Machine.Update(s =>
    {
        foreach (var below in s.Registry.Keys.Where(k => IsWithin(k, key)).ToList()) s.Registry.Remove(below);
    });

    public static bool HasKey(string key) => Machine.Read().Registry.Keys.Any(k => IsWithin(k, key));
}
