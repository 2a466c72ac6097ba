// Server Manager's features, Routing and Remote Access, and Hyper-V's switches. The namespaces and class names are Microsoft's.
using System.Management.Automation;
using Lab;

namespace Lab
{
    public static class Features
    {
        // What Windows does at its next start. host.ts does it then.
        public static void Set(IEnumerable<string> names, bool install) => Machine.Update(s =>
        {
            var later = s.Faults.ContainsKey("restart-needed");
            foreach (var name in names) s.Features[name] = install ? (later ? "InstallPending" : "Installed") : (later ? "UninstallPending" : "Available");
            if (later || !names.Contains("RemoteAccess")) return;
            s.Registry.Remove(Services.KeyOf("RemoteAccess"));
            if (install) s.Registry[Services.KeyOf("RemoteAccess")] = new() { ["ImagePath"] = "svchost.exe", ["Start"] = 4 };
            if (install) s.Stopped.Add("RemoteAccess");
        });

        public static bool HasModule => Machine.Read().Features.GetValueOrDefault("RSAT-RemoteAccess-PowerShell") == "Installed";

        // "", or what Install-RemoteAccess -VpnType takes.
        public static string RemoteAccess { get => Machine.Read().RemoteAccess; set => Machine.Update(s => s.RemoteAccess = value); }

        public static void SetService(string name, bool runs, int start) => Machine.Update(s =>
        {
            s.Registry[Services.KeyOf(name)]["Start"] = start;
            s.Stopped.Remove(name);
            if (!runs) s.Stopped.Add(name);
        });

        // An internal switch: its host adapter is all that is seen of it.
        public static void AddSwitch(string name, string type) => Machine.Update(s =>
        {
            var device = "vsw" + (s.Nics.Max(n => n.Index) + 3);
            Machine.Ip("link", "add", device, "type", "bridge");
            Machine.Ip("link", "set", device, "up");
            s.Switches.Add(new() { Name = name, Type = type, Device = device });
            s.Nics.Add(new() { Device = device, Name = $"vEthernet ({name})", Index = s.Nics.Max(n => n.Index) + 3, Guid = Machine.NewGuid(), Component = "vms_mp" });
        });

        public static void RemoveSwitch(string name) => Machine.Update(s =>
        {
            var found = s.Switches.Find(w => w.Name == name);
            Machine.Ip("link", "del", found.Device);
            s.Nics.RemoveAll(n => n.Device == found.Device);
            s.Switches.Remove(found);
        });
    }
}

namespace Microsoft.Windows.ServerManager.Commands
{
    public abstract class FeatureCommand : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string[] Name;

        protected static PSObject Object(params (string Name, object Value)[] properties)
        {
            var o = new PSObject();
            foreach (var (name, value) in properties) o.Properties.Add(new PSNoteProperty(name, value));
            return o;
        }

        protected void Change(bool install)
        {
            var state = Machine.Read();
            if (state.Faults.TryGetValue("features", out var words))
            {
                WriteError(new ErrorRecord(new Exception(words), "DISMAPI_Error__Failed_To_Reboot_Machine", ErrorCategory.InvalidResult, null));
                return;
            }
            // What waits for a restart can't be changed before it.
            if (Name.Any(n => state.Features[n].EndsWith("Pending")))
            {
                WriteError(new ErrorRecord(new Exception("The requested operation failed. A system reboot is required to roll back changes made."), "DISMAPI_Error__Cbs_Reboot", ErrorCategory.InvalidOperation, null));
                return;
            }
            Features.Set(Name, install);
            var restart = state.Faults.ContainsKey("restart-needed");
            if (Features.HasModule) InvokeCommand.InvokeScript($"Import-Module -Global '{AppContext.BaseDirectory}/modules/optional/RemoteAccess.psm1'");
            else InvokeCommand.InvokeScript("Remove-Module RemoteAccess -ErrorAction SilentlyContinue");
            WriteObject(Object(("Success", true), ("RestartNeeded", restart ? "Yes" : "No"), ("ExitCode", restart ? "SuccessRestartRequired" : "Success"), ("FeatureResult", Name)));
        }
    }

    [Cmdlet(VerbsCommon.Get, "WindowsFeature")]
    public class GetWindowsFeatureCommand : FeatureCommand
    {
        protected override void EndProcessing()
        {
            foreach (var (name, state) in Machine.Read().Features.Where(f => Name.Contains(f.Key)))
                WriteObject(Object(("Name", name), ("Installed", state == "Installed"), ("InstallState", state)));
        }
    }

    [Cmdlet(VerbsLifecycle.Install, "WindowsFeature", SupportsShouldProcess = true)]
    public class AddWindowsFeatureCommand : FeatureCommand
    {
        protected override void EndProcessing() => Change(true);
    }

    [Cmdlet(VerbsLifecycle.Uninstall, "WindowsFeature", SupportsShouldProcess = true)]
    public class RemoveWindowsFeatureCommand : FeatureCommand
    {
        protected override void EndProcessing() => Change(false);
    }
}

namespace Microsoft.HyperV.PowerShell.Commands
{
    [Cmdlet(VerbsCommon.Get, "VMSwitch")]
    public class GetVMSwitch : PSCmdlet
    {
        protected override void EndProcessing()
        {
            var state = Machine.Read();
            if (state.Faults.TryGetValue("no-vmms", out var words))
            {
                WriteError(new ErrorRecord(new Exception(words), "Unspecified", ErrorCategory.NotSpecified, null));
                return;
            }
            foreach (var found in state.Switches)
            {
                var o = new PSObject();
                o.Properties.Add(new PSNoteProperty("Name", found.Name));
                o.Properties.Add(new PSNoteProperty("SwitchType", found.Type));
                WriteObject(o);
            }
        }
    }

    [Cmdlet(VerbsCommon.New, "VMSwitch")]
    public class NewVMSwitch : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string Name;
        [Parameter(Mandatory = true)] [ValidateSet("Internal", "Private")] public string SwitchType;
        protected override void EndProcessing()
        {
            if (Machine.Read().Faults.TryGetValue("switch", out var words))
                WriteError(new ErrorRecord(new Exception(words), "OperationFailed", ErrorCategory.NotSpecified, null));
            else Features.AddSwitch(Name, SwitchType);
        }
    }

    [Cmdlet(VerbsCommon.Remove, "VMSwitch", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    public class RemoveVMSwitch : PSCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)] public string Name;
        [Parameter] public SwitchParameter Force;
        protected override void EndProcessing() => Features.RemoveSwitch(Name);
    }
}
