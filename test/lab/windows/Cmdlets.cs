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

namespace Microsoft.Management.Infrastructure.CimCmdlets
{
    [Cmdlet(VerbsCommon.Get, "CimInstance")]
    public class GetCimInstanceCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string ClassName;
        [Parameter] public string[] Property;
        protected override void EndProcessing()
        {
            if (ClassName != "Win32_OperatingSystem") throw new ItemNotFoundException(ClassName + " is not modelled");
            var state = Machine.Read();
            var os = new PSObject();
            foreach (var name in Property)
            {
                os.Properties.Add(new PSNoteProperty(name, name switch
                {
                    "LastBootUpTime" => state.Boot.ToLocalTime(),
                    "BuildNumber" => state.Build,
                    _ => throw new ItemNotFoundException(name + " is not modelled"),
                }));
            }
            WriteObject(os);
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
