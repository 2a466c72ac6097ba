// The cmdlets over providers (registry, files), thin: what a provider says is what the cmdlet says.
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands
{
    public abstract class ItemCommand : PSCmdlet
    {
        [Parameter(Position = 0, ParameterSetName = "Path")] public string[] Path;
        [Parameter(ParameterSetName = "LiteralPath")] public string[] LiteralPath;
        protected bool Literal => LiteralPath != null;
        protected abstract void Act(string[] path);
        protected override void EndProcessing()
        {
            foreach (var path in Path ?? LiteralPath)
            {
                try { Act([path]); }
                catch (RuntimeException e) { WriteError(new ErrorRecord(e.ErrorRecord, e)); }
            }
        }
    }

    [Cmdlet(VerbsDiagnostic.Test, "Path")]
    public class TestPathCommand : ItemCommand
    {
        protected override void Act(string[] path) => WriteObject(InvokeProvider.Item.Exists(path[0], false, Literal));
    }

    [Cmdlet(VerbsCommon.Get, "Item")]
    public class GetItemCommand : ItemCommand
    {
        protected override void Act(string[] path) => WriteObject(InvokeProvider.Item.Get(path, false, Literal), true);
    }

    // New-Item has no -LiteralPath.
    [Cmdlet(VerbsCommon.New, "Item")]
    public class NewItemCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string[] Path;
        [Parameter] public string ItemType;
        [Parameter] public object Value;
        [Parameter] public SwitchParameter Force;
        protected override void EndProcessing()
        {
            try { WriteObject(InvokeProvider.Item.New(Path, null, ItemType, Value, Force), true); }
            catch (RuntimeException e) { WriteError(new ErrorRecord(e.ErrorRecord, e)); }
        }
    }

    [Cmdlet(VerbsCommon.Remove, "Item")]
    public class RemoveItemCommand : ItemCommand
    {
        [Parameter] public SwitchParameter Recurse;
        [Parameter] public SwitchParameter Force;
        protected override void Act(string[] path) => InvokeProvider.Item.Remove(path, Recurse, Force, Literal);
    }

    [Cmdlet(VerbsCommon.Get, "ItemProperty")]
    public class GetItemPropertyCommand : ItemCommand
    {
        [Parameter(Position = 1)] public string[] Name = [];
        protected override void Act(string[] path) => WriteObject(InvokeProvider.Property.Get(path, [.. Name], Literal), true);
    }

    [Cmdlet(VerbsCommon.Set, "ItemProperty")]
    public class SetItemPropertyCommand : ItemCommand
    {
        [Parameter(Mandatory = true, Position = 1)] public string Name;
        [Parameter(Mandatory = true, Position = 2)] [AllowNull] public object Value;
        protected override void Act(string[] path)
        {
            var values = new PSObject();
            values.Properties.Add(new PSNoteProperty(Name, Value));
            InvokeProvider.Property.Set(path, values, false, Literal);
        }
    }

    [Cmdlet(VerbsCommon.New, "ItemProperty")]
    public class NewItemPropertyCommand : ItemCommand
    {
        [Parameter(Mandatory = true, Position = 1)] public string Name;
        [Parameter] public string PropertyType;
        [Parameter] public object Value;
        [Parameter] public SwitchParameter Force;
        protected override void Act(string[] path) => WriteObject(InvokeProvider.Property.New(path, Name, PropertyType, Value, Force, Literal), true);
    }

    [Cmdlet(VerbsCommon.Remove, "ItemProperty")]
    public class RemoveItemPropertyCommand : ItemCommand
    {
        [Parameter(Mandatory = true, Position = 1)] public string Name;
        protected override void Act(string[] path) => InvokeProvider.Property.Remove(path, Name, false, Literal);
    }
}
