// nssm.exe. It writes UTF-16, so that who reads it as text meets a NUL after each letter.
using System.Text;

namespace Lab;

static class Nssm
{
    public static int Run(string[] args)
    {
        try
        {
            switch (args)
            {
                case ["install", var name, var exe]:
                    if (Services.Get(name) != null) return Say("The specified service already exists.", 5);
                    Set(name, "ImagePath", Path.Combine(Machine.Folder, "programs", "nssm.exe"));
                    Set(name, "Start", 2);
                    Set(name, "ObjectName", "LocalSystem");
                    Set(name + @"\Parameters", "Application", exe);
                    Set(name + @"\Parameters", "AppParameters", "");
                    Set(name + @"\Parameters", "AppDirectory", exe[..exe.LastIndexOf('\\')]);
                    return Say($"Service \"{name}\" installed successfully!", 0);
                case ["set", var name, "DependOnService", .. var others]:
                    if (Services.Get(name) == null) return Missing();
                    Set(name, "DependOnService", others);
                    return 0;
                case ["set", var name, "ObjectName", var account]:
                    if (Services.Get(name) == null) return Missing();
                    Set(name, "ObjectName", account);
                    return 0;
                case ["remove", var name, "confirm"]:
                    if (Services.Get(name) == null) return Missing();
                    Hive.RemoveKey(Services.KeyOf(name));
                    return Say($"Service \"{name}\" removed successfully!", 0);
                default:
                    return Say("nssm: not modelled: " + string.Join(' ', args), 1);
            }
        }
        catch (InvalidOperationException e) { return Say(e.Message, 1); }
    }

    static void Set(string key, string name, object value) => Hive.SetValue(Services.KeyOf(key), name, value);

    static int Missing() => Say("Can't open service!\r\nOpenService(): The specified service does not exist as an installed service.", 3);

    static int Say(string text, int code)
    {
        using var output = Console.OpenStandardOutput();
        output.Write(Encoding.Unicode.GetBytes(text + "\r\n"));
        return code;
    }
}
