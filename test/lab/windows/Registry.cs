// HKLM as PowerShell's drive of it.
using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Provider;

namespace Lab;

[CmdletProvider("Registry", ProviderCapabilities.ShouldProcess)]
public class RegistryProvider : NavigationCmdletProvider, IPropertyCmdletProvider, IDynamicPropertyCmdletProvider
{
    public override char ItemSeparator => '\\';

    protected override Collection<PSDriveInfo> InitializeDefaultDrives() => [new PSDriveInfo("HKLM", ProviderInfo, "HKLM", "", null)];

    static string Key(string path) => path.Replace('/', '\\').TrimEnd('\\');

    void Missing(string path) =>
        WriteError(new ErrorRecord(new ItemNotFoundException($"Cannot find path '{path}' because it does not exist."), "PathNotFound", ErrorCategory.ObjectNotFound, path));

    protected override bool IsValidPath(string path) => true;
    protected override bool ItemExists(string path) => Hive.HasKey(Key(path));
    protected override bool IsItemContainer(string path) => true;

    protected override void GetItem(string path)
    {
        var item = new PSObject();
        item.Properties.Add(new PSNoteProperty("Name", Key(path)));
        WriteItemObject(item, path, true);
    }

    IEnumerable<string> Children(string path) => Machine.Read().Registry.Keys
        .Where(k => Hive.IsWithin(k, Key(path)) && k.Length > Key(path).Length).Select(k => k[(Key(path).Length + 1)..].Split('\\')[0])
        .Distinct(StringComparer.OrdinalIgnoreCase);
    protected override bool HasChildItems(string path) => Children(path).Any();
    protected override void GetChildItems(string path, bool recurse) { foreach (var name in Children(path)) GetItem(Key(path) + '\\' + name); }
    protected override void GetChildNames(string path, ReturnContainers containers) { foreach (var name in Children(path)) WriteItemObject(name, path, true); }

    protected override void NewItem(string path, string type, object value)
    {
        if (ItemExists(path) && !Force) { WriteError(new ErrorRecord(new IOException("A key in this path already exists."), "System.IO.IOException", ErrorCategory.ResourceExists, path)); return; }
        // Forced, it replaces the key with an empty one, as Windows does.
        Hive.RemoveKey(Key(path));
        Machine.Update(s => s.Registry[Key(path)] = []);
        GetItem(path);
    }

    protected override void RemoveItem(string path, bool recurse) => Hive.RemoveKey(Key(path));

    public void GetProperty(string path, Collection<string> names)
    {
        if (!ItemExists(path)) { Missing(path); return; }
        var found = new PSObject();
        foreach (var (name, value) in Machine.Read().Registry.GetValueOrDefault(Key(path)) ?? [])
            if (names == null || names.Count == 0 || names.Contains(name, StringComparer.OrdinalIgnoreCase)) found.Properties.Add(new PSNoteProperty(name, value));
        if (names?.Count > 0 && !found.Properties.Any())
            WriteError(new ErrorRecord(new PSArgumentException($"Property {names[0]} does not exist at path {path}."), "System.Management.Automation.PSArgumentException", ErrorCategory.InvalidArgument, path));
        else WritePropertyObject(found, path);
    }

    public void SetProperty(string path, PSObject values)
    {
        if (!ItemExists(path)) { Missing(path); return; }
        foreach (var p in values.Properties) Hive.SetValue(Key(path), p.Name, Of(p.Value, null));
    }

    public void NewProperty(string path, string name, string type, object value)
    {
        if (!ItemExists(path)) { Missing(path); return; }
        if (Hive.Value(Key(path), name) != null && !Force) { WriteError(new ErrorRecord(new IOException("The property already exists."), "System.IO.IOException", ErrorCategory.ResourceExists, path)); return; }
        Hive.SetValue(Key(path), name, Of(value, type));
    }

    static object Of(object value, string type)
    {
        var inner = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (string.Equals(type, "MultiString", StringComparison.OrdinalIgnoreCase)) return LanguagePrimitives.ConvertTo<string[]>(inner);
        return string.Equals(type, "DWord", StringComparison.OrdinalIgnoreCase) ? LanguagePrimitives.ConvertTo<int>(inner) : inner;
    }

    public void RemoveProperty(string path, string name)
    {
        if (Hive.Value(Key(path), name) == null)
            WriteError(new ErrorRecord(new PSArgumentException($"Property {name} does not exist at path {path}."), "System.Management.Automation.PSArgumentException", ErrorCategory.InvalidArgument, path));
        else Machine.Update(s => s.Registry[Key(path)].Remove(name));
    }

    public void ClearProperty(string path, Collection<string> names) => throw new NotSupportedException();
    public void CopyProperty(string path, string name, string toPath, string toName) => throw new NotSupportedException();
    public void MoveProperty(string path, string name, string toPath, string toName) => throw new NotSupportedException();
    public void RenameProperty(string path, string name, string toName) => throw new NotSupportedException();
    public object GetPropertyDynamicParameters(string path, Collection<string> names) => null;
    public object SetPropertyDynamicParameters(string path, PSObject values) => null;
    public object NewPropertyDynamicParameters(string path, string name, string type, object value) => null;
    public object RemovePropertyDynamicParameters(string path, string name) => null;
    public object ClearPropertyDynamicParameters(string path, Collection<string> names) => null;
    public object CopyPropertyDynamicParameters(string path, string name, string toPath, string toName) => null;
    public object MovePropertyDynamicParameters(string path, string name, string toPath, string toName) => null;
    public object RenamePropertyDynamicParameters(string path, string name, string toName) => null;
}
