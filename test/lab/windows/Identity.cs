// Who is logged in.
using System.Management.Automation;
using System.Security.Principal;
using Lab;

namespace Lab
{
    // .NET's own two exist on Windows alone; Engine.cs lets scripts meet these by their names.
    public class LabIdentity
    {
        public static LabIdentity GetCurrent() => new();
    }

    public class LabPrincipal(LabIdentity identity)
    {
        public LabIdentity Identity => identity;
        public bool IsInRole(WindowsBuiltInRole role) => role == WindowsBuiltInRole.Administrator && !Machine.Read().Faults.ContainsKey("not-admin");
    }
}
