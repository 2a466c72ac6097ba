// The cmdlets of Microsoft's modules that our scripts call, with 5.1's parameters. The namespaces and class names are Microsoft's:
// error ids end in them.
using System.Collections;
using System.Management.Automation;
using Lab;

namespace Microsoft.PowerShell.Commands
{
    [Cmdlet(VerbsCommon.New, "Object")]
    public class NewObjectCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string TypeName;
        [Parameter(Position = 1)] public object[] ArgumentList = [];
        protected override void EndProcessing()
        {
            // The engine's own binder picks the constructor, as it does for [type]::new().
            var type = LanguagePrimitives.ConvertTo<Type>(TypeName);
            WriteObject(InvokeCommand.InvokeScript("param($t, $a) , $t::new.Invoke($a)", true, System.Management.Automation.Runspaces.PipelineResultTypes.None, null, type, ArgumentList)[0]);
        }
    }

    // The engine itself writes a program's stdin by way of it.
    [Cmdlet(VerbsData.Out, "String")]
    public class OutStringCommand : PSCmdlet
    {
        [Parameter(ValueFromPipeline = true)] public PSObject InputObject;
        [Parameter] public SwitchParameter Stream;
        protected override void ProcessRecord()
        {
            if (InputObject != null) WriteObject(InputObject.ToString());
        }
    }

    [Cmdlet(VerbsLifecycle.Start, "Sleep")]
    public class StartSleepCommand : PSCmdlet
    {
        [Parameter(Position = 0)] public int Seconds;
        [Parameter] public int Milliseconds;
        protected override void EndProcessing() => Thread.Sleep(Seconds * 1000 + Milliseconds);
    }

    [Cmdlet(VerbsCommon.Get, "ChildItem")]
    public class GetChildItemCommand : PSCmdlet
    {
        [Parameter(Position = 0)] public string[] Path = ["."];
        protected override void EndProcessing()
        {
            foreach (var item in InvokeProvider.ChildItem.Get(Path, false, uint.MaxValue, false, false)) WriteObject(item);
        }
    }

    [Cmdlet(VerbsCommon.Set, "Location")]
    public class SetLocationCommand : PSCmdlet
    {
        [Parameter] public string LiteralPath;
        protected override void EndProcessing() => SessionState.Path.SetLocation(LiteralPath);
    }

    [Cmdlet(VerbsData.ConvertTo, "Json")]
    public class ConvertToJsonCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)] [AllowNull] public object InputObject;
        [Parameter] public int Depth = 2;
        [Parameter] public SwitchParameter Compress;
        readonly List<object> all = [];
        protected override void ProcessRecord() => all.Add(InputObject);
        protected override void EndProcessing() => WriteObject(Json.Write(all.Count == 1 ? all[0] : all, Depth));
    }

    [Cmdlet(VerbsData.ConvertFrom, "Json")]
    public class ConvertFromJsonCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)] [AllowEmptyString] public string InputObject;
        readonly List<string> lines = [];
        protected override void ProcessRecord() => lines.Add(InputObject);
        // 5.1: a JSON array is one object of the pipeline.
        protected override void EndProcessing() => WriteObject(Json.Read(string.Join('\n', lines)), false);
    }
}

namespace Microsoft.PowerShell.Commands
{
    [Cmdlet(VerbsCommon.Get, "Process")]
    public class GetProcessCommand : PSCmdlet
    {
        [Parameter(Mandatory = true)] public int Id;
        protected override void EndProcessing()
        {
            if (Services.Find(Id) is not { } found)
            {
                WriteError(new ErrorRecord(new ArgumentException($"Cannot find a process with the process identifier {Id}."), "NoProcessFoundForGivenId", ErrorCategory.ObjectNotFound, Id));
                return;
            }
            var process = new PSObject();
            process.Properties.Add(new PSNoteProperty("Id", found.Pid));
            process.Properties.Add(new PSNoteProperty("ProcessName", Path.GetFileNameWithoutExtension(found.Name)));
            process.Properties.Add(new PSNoteProperty("Handle", Services.HandleOf(found)));
            WriteObject(process);
        }
    }

    [Cmdlet(VerbsLifecycle.Stop, "Process")]
    public class StopProcessCommand : PSCmdlet
    {
        [Parameter(Mandatory = true)] public int Id;
        [Parameter] public SwitchParameter Force;
        protected override void EndProcessing() => Machine.StartDetached($"sh -c 'kill -9 {Id}'");
    }

    // Every cmdlet of services looks its service up first, and fails alike.
    public abstract class ServiceCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string Name;
        protected abstract void Act();
        protected override void EndProcessing()
        {
            if (Services.Get(Name) == null)
                WriteError(new ErrorRecord(new ArgumentException($"Cannot find any service with service name '{Name}'."), "NoServiceFoundForGivenName", ErrorCategory.ObjectNotFound, Name));
            else Act();
        }
    }

    [Cmdlet(VerbsCommon.Get, "Service")]
    public class GetServiceCommand : ServiceCommand
    {
        protected override void Act()
        {
            var service = new PSObject();
            service.Properties.Add(new PSNoteProperty("Name", Name));
            service.Properties.Add(new PSNoteProperty("Status", Services.Status(Name)));
            service.Properties.Add(new PSNoteProperty("DependentServices", Services.Dependents(Name).Select(Named).ToArray()));
            service.Properties.Add(new PSNoteProperty("StartType", Services.Get(Name).Start switch { 2 => "Automatic", 3 => "Manual", _ => "Disabled" }));
            WriteObject(service);
        }

        // What such an object says of itself is asked for again, by its name.
        static PSObject Named(string name)
        {
            var service = new PSObject();
            service.Properties.Add(new PSNoteProperty("Name", name));
            return service;
        }
    }

    [Cmdlet(VerbsLifecycle.Start, "Service")]
    public class StartServiceCommand : ServiceCommand
    {
        protected override void Act() => Services.Start(Name);
    }

    [Cmdlet(VerbsLifecycle.Stop, "Service")]
    public class StopServiceCommand : ServiceCommand
    {
        [Parameter] public SwitchParameter Force;
        protected override void Act() => Services.StopWithDependents(Name, Force);
    }

    [Cmdlet(VerbsLifecycle.Restart, "Service")]
    public class RestartServiceCommand : ServiceCommand
    {
        [Parameter] public SwitchParameter Force;
        protected override void Act()
        {
            var stopped = Services.StopWithDependents(Name, Force);
            stopped.Reverse();
            stopped.ForEach(Services.Start);
        }
    }

    [Cmdlet(VerbsCommon.Set, "Service")]
    public class SetServiceCommand : ServiceCommand
    {
        [Parameter] [ValidateSet("Automatic", "Manual", "Disabled")] public string StartupType;
        protected override void Act() => Hive.SetValue(Services.KeyOf(Name), "Start", StartupType == "Automatic" ? 2 : StartupType == "Manual" ? 3 : 4);
    }

    // Administrators' and the system's alone, where nothing else is said.
    [Cmdlet(VerbsCommon.Get, "Acl")]
    public class GetAclCommand : PSCmdlet
    {
        [Parameter(Mandatory = true)] public string[] LiteralPath;
        protected override void EndProcessing()
        {
            var sddl = Machine.Read().Permissions.GetValueOrDefault(LiteralPath[0], "O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
            if (sddl == null) WriteError(new ErrorRecord(new UnauthorizedAccessException("Attempted to perform an unauthorized operation."), "System.UnauthorizedAccessException,Microsoft.PowerShell.Commands.GetAclCommand", ErrorCategory.PermissionDenied, LiteralPath[0]));
            var found = new PSObject();
            found.Properties.Add(new PSNoteProperty("Sddl", sddl));
            if (sddl != null) WriteObject(found);
        }
    }

    // No program writes to the host's event log.
    [Cmdlet(VerbsCommon.Get, "WinEvent")]
    public class GetWinEventCommand : PSCmdlet
    {
        [Parameter(Mandatory = true)] public Hashtable FilterHashtable;
        [Parameter] public long MaxEvents;
        protected override void EndProcessing() =>
            WriteError(new ErrorRecord(new Exception("No events were found that match the specified selection criteria."), "NoMatchingEventsFound", ErrorCategory.ObjectNotFound, null));
    }
}

namespace Microsoft.Management.Infrastructure.CimCmdlets
{
    [Cmdlet(VerbsCommon.Get, "CimInstance")]
    public class GetCimInstanceCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string ClassName;
        [Parameter] public string Filter;
        [Parameter] public string[] Property;
        protected override void EndProcessing()
        {
            if (ClassName == "Win32_OperatingSystem") WriteObject(System());
            else if (ClassName == "Win32_LogicalDisk" && Filter == "DeviceID='C:'") WriteObject(Disk());
            else if (ClassName == "Win32_Process") WriteObject(Services.Processes().Where(p => Names().Contains(p.Name)).Select(Process), true);
            else throw new ItemNotFoundException(ClassName + " is not modelled");
        }

        // WQL, as far as it is a list of names.
        List<string> Names() => [.. Filter.Split(" OR ").Select(term =>
            term.StartsWith("Name='") && term.EndsWith('\'') ? term[6..^1] : throw new ItemNotFoundException(term + " is not modelled"))];

        PSObject System()
        {
            var state = Machine.Read();
            return Object(name => name switch
            {
                "LastBootUpTime" => state.Boot.ToLocalTime(),
                "BuildNumber" => state.Build,
                // Named in the host's own language.
                "Caption" => state.Language == 2052 ? "Microsoft Windows Server 2016 \u6807\u51c6\u7248" : "Microsoft Windows Server 2016 Standard",
                "OSLanguage" => state.Language,
                "ProductType" => 3u,
                _ => throw new ItemNotFoundException(name + " is not modelled"),
            });
        }

        PSObject Disk() => Object(name => name == "FreeSpace" ? (ulong)Machine.Read().Free : throw new ItemNotFoundException(name + " is not modelled"));

        PSObject Process(Running process) => Object(name => name switch
        {
            "Name" => process.Name,
            "ProcessId" => (uint)process.Pid,
            "ParentProcessId" => (uint)process.Parent,
            "ExecutablePath" => Services.PathOf(process),
            "CreationDate" => process.Started.ToLocalTime(),
            _ => throw new ItemNotFoundException(name + " is not modelled"),
        });

        PSObject Object(Func<string, object> value)
        {
            var found = new PSObject();
            foreach (var name in Property) found.Properties.Add(new PSNoteProperty(name, value(name)));
            return found;
        }
    }

    // Win32_Process Create: what it starts is a child of the host's WMI service, and outlives the session.
    [Cmdlet(VerbsLifecycle.Invoke, "CimMethod")]
    public class InvokeCimMethodCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string ClassName;
        [Parameter(Mandatory = true, Position = 2)] public string MethodName;
        [Parameter(Position = 1)] public IDictionary Arguments;
        protected override void EndProcessing()
        {
            if (ClassName != "Win32_Process" || MethodName != "Create") throw new ItemNotFoundException($"{ClassName} {MethodName} is not modelled");
            var answer = new PSObject();
            answer.Properties.Add(new PSNoteProperty("ReturnValue", Machine.StartDetached((string)Arguments["CommandLine"])));
            WriteObject(answer);
        }
    }
}
