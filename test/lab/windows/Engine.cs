// PowerShell's engine, made to look like Windows PowerShell 5.1 on Windows Server 2016.
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using Microsoft.PowerShell.Commands;

namespace Lab;

static class Engine
{
    static readonly Dictionary<string, Type> Cmdlets = new()
    {
        ["ConvertTo-Json"] = typeof(ConvertToJsonCommand),
        ["ConvertFrom-Json"] = typeof(ConvertFromJsonCommand),
        ["New-Object"] = typeof(NewObjectCommand),
        ["Out-String"] = typeof(OutStringCommand),
        ["Start-Sleep"] = typeof(StartSleepCommand),
        ["Get-ChildItem"] = typeof(GetChildItemCommand),
        ["Set-Location"] = typeof(SetLocationCommand),
        ["Get-Process"] = typeof(GetProcessCommand),
        ["Stop-Process"] = typeof(StopProcessCommand),
        ["Get-Service"] = typeof(GetServiceCommand),
        ["Start-Service"] = typeof(StartServiceCommand),
        ["Set-Service"] = typeof(SetServiceCommand),
        ["Stop-Service"] = typeof(StopServiceCommand),
        ["Restart-Service"] = typeof(RestartServiceCommand),
        ["Test-Path"] = typeof(TestPathCommand),
        ["Get-Item"] = typeof(GetItemCommand),
        ["Get-Acl"] = typeof(GetAclCommand),
        ["New-Item"] = typeof(NewItemCommand),
        ["Remove-Item"] = typeof(RemoveItemCommand),
        ["Get-ItemProperty"] = typeof(GetItemPropertyCommand),
        ["Set-ItemProperty"] = typeof(SetItemPropertyCommand),
        ["New-ItemProperty"] = typeof(NewItemPropertyCommand),
        ["Remove-ItemProperty"] = typeof(RemoveItemPropertyCommand),
        ["Get-WindowsFeature"] = typeof(Microsoft.Windows.ServerManager.Commands.GetWindowsFeatureCommand),
        ["Install-WindowsFeature"] = typeof(Microsoft.Windows.ServerManager.Commands.AddWindowsFeatureCommand),
        ["Uninstall-WindowsFeature"] = typeof(Microsoft.Windows.ServerManager.Commands.RemoveWindowsFeatureCommand),
        ["Get-WinEvent"] = typeof(GetWinEventCommand),
        ["Get-CimInstance"] = typeof(Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand),
        ["Invoke-CimMethod"] = typeof(Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand),
    };

    static readonly Dictionary<string, Type> HyperV = new()
    {
        ["Get-VMSwitch"] = typeof(Microsoft.HyperV.PowerShell.Commands.GetVMSwitch),
        ["New-VMSwitch"] = typeof(Microsoft.HyperV.PowerShell.Commands.NewVMSwitch),
        ["Remove-VMSwitch"] = typeof(Microsoft.HyperV.PowerShell.Commands.RemoveVMSwitch),
    };

    public static int Run(string script)
    {
        // Windows PowerShell feeds stdin to a command that names $input; then nothing is left for [Console]::In.
        var ast = Parser.ParseInput(script, out _, out _);
        if (ast.Find(a => a is VariableExpressionAst v && v.VariablePath.UserPath == "input", true) != null) Console.In.ReadToEnd();

        Environment.SetEnvironmentVariable("ProgramFiles", Path.Combine(Machine.Folder, "Program Files"));
        Environment.SetEnvironmentVariable("SystemDrive", "C:");
        Environment.SetEnvironmentVariable("SystemRoot", @"C:\Windows");
        var state = InitialSessionState.CreateDefault2();
        foreach (var name in new[] { "IsWindows", "IsLinux", "IsMacOS", "IsCoreCLR" }) state.Variables.Remove(name, typeof(object));
        // How objects look on a screen: nobody is at one, and all of it would be read at each start.
        state.DisableFormatUpdates = true;
        var faults = Machine.Read().Faults;
        var there = faults.ContainsKey("no-hyper-v") ? Cmdlets : Cmdlets.Concat(HyperV);
        foreach (var (name, type) in there) state.Commands.Add(new SessionStateCmdletEntry(name, type, null));
        state.Commands.Add(new SessionStateFunctionEntry("shutdown.exe", WholeExitCode));
        state.Providers.Add(new SessionStateProviderEntry("Registry", typeof(RegistryProvider), null));
        var modules = Path.Combine(AppContext.BaseDirectory, "modules");
        state.ImportPSModule([.. Directory.GetFiles(modules, "*.psm1"), .. Features.HasModule ? Directory.GetFiles(Path.Combine(modules, "optional")) : []]);
        if (faults.TryGetValue("language-mode", out var mode)) state.LanguageMode = Enum.Parse<PSLanguageMode>(mode);
        StandIn("System.Security.Principal.WindowsIdentity", typeof(LabIdentity));
        StandIn("System.Security.Principal.WindowsPrincipal", typeof(LabPrincipal));
        var host = new Host();
        using var runspace = RunspaceFactory.CreateRunspace(host, state);
        runspace.Open();
        Runspace.DefaultRunspace = runspace;
        var session = runspace.SessionStateProxy;
        ((Hashtable)session.GetVariable("PSVersionTable"))["PSVersion"] = new Version(5, 1, 14393, 0);
        session.SetVariable("PSNativeCommandArgumentPassing", "Legacy");
        var drive = new PSDriveInfo("C", session.Provider.GetOne("FileSystem"), Machine.Folder, "", null);
        session.Drive.New(drive, "global");

        using var ps = PowerShell.Create();
        ps.Runspace = runspace;
        ps.AddScript(script, false);
        ps.Commands.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        ps.AddCommand("Out-Default");
        try { ps.Invoke(); }
        catch (RuntimeException e)
        {
            Console.Error.WriteLine(e.ErrorRecord + " [" + e.ErrorRecord.FullyQualifiedErrorId + "]");
            return 1;
        }
        return host.Exit ?? (ps.HadErrors ? 1 : 0);
    }

    // Of a program's exit code, Linux keeps eight bits.
    const string WholeExitCode = """
        $words = @($args | ForEach-Object { $_ })
        & (Get-Command 'shutdown.exe' -CommandType Application) $words
        foreach ($code in 1115, 1190) { if ($LASTEXITCODE -eq ($code -band 255)) { $global:LASTEXITCODE = $code } }
        """;

    // Of a name that scripts use, another type.
    static void StandIn(string name, Type type) =>
        typeof(PSObject).Assembly.GetType("System.Management.Automation.TypeAccelerators").GetMethod("Add").Invoke(null, [name, type]);
}

sealed class Host : PSHost
{
    public int? Exit;
    readonly UserInterface ui = new();
    public override Guid InstanceId { get; } = Guid.NewGuid();
    public override string Name => "ConsoleHost";
    public override Version Version => new(5, 1);
    public override PSHostUserInterface UI => ui;
    public override System.Globalization.CultureInfo CurrentCulture => new("en-US");
    public override System.Globalization.CultureInfo CurrentUICulture => new("en-US");
    public override void SetShouldExit(int exitCode) => Exit = exitCode;
    public override void EnterNestedPrompt() => throw new NotSupportedException();
    public override void ExitNestedPrompt() => throw new NotSupportedException();
    public override void NotifyBeginApplication() { }
    public override void NotifyEndApplication() { }
}

// NonInteractive: every prompt throws.
sealed class UserInterface : PSHostUserInterface
{
    static PSInvalidOperationException Prompted() => new("PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.");
    public override PSHostRawUserInterface RawUI => null;
    public override void Write(string value) => Console.Out.Write(value);
    public override void Write(ConsoleColor foreground, ConsoleColor background, string value) => Console.Out.Write(value);
    public override void WriteLine(string value) => Console.Out.WriteLine(value);
    public override void WriteErrorLine(string value) => Console.Error.WriteLine(value);
    public override void WriteWarningLine(string message) => Console.Out.WriteLine("WARNING: " + message);
    public override void WriteVerboseLine(string message) => Console.Out.WriteLine("VERBOSE: " + message);
    public override void WriteDebugLine(string message) => Console.Out.WriteLine("DEBUG: " + message);
    public override void WriteProgress(long sourceId, ProgressRecord record) { }
    public override string ReadLine() => throw Prompted();
    public override System.Security.SecureString ReadLineAsSecureString() => throw Prompted();
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw Prompted();
    public override PSCredential PromptForCredential(string c, string m, string u, string t, PSCredentialTypes types, PSCredentialUIOptions options) => throw Prompted();
    public override int PromptForChoice(string c, string m, System.Collections.ObjectModel.Collection<ChoiceDescription> choices, int defaultChoice) => throw Prompted();
    public override Dictionary<string, PSObject> Prompt(string c, string m, System.Collections.ObjectModel.Collection<FieldDescription> descriptions) => throw Prompted();
}
