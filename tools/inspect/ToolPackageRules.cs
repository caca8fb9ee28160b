using System.Text;

namespace MuseAtelier.Tools.Inspect;

/// <summary>What the packages of the tool hold: one names the systems, and one for each system holds the program.</summary>
internal static class ToolPackageRules
{
    /// <summary>The package that names the systems; those for the systems begin with it.</summary>
    public const string Id = "muse";

    private static readonly string[] Systems = ["linux-x64", "linux-arm64", "win-x64", "win-arm64", "osx-arm64"];

    /// <summary>The identifiers of all packages of the tool.</summary>
    public static readonly string[] Ids = [Id, .. Systems.Select(system => $"{Id}.{system}")];

    private const long MostBytes = 60_000_000;
    private const string Model = "miniature.safetensors";

    private static readonly string[] NativeLibraries = ["libonnxruntime.so", "libonnxruntime.dylib", "onnxruntime.dll"];

    public static void Check(PackageFile package, Faults faults)
    {
        if (package.Id == Id) CheckPointer(package, faults);
        else CheckProgram(package, package.Id[(Id.Length + 1)..], faults);
        faults.Require(package.Dependencies.Count == 0, package, "has dependencies, which a tool cannot have");
    }

    private static void CheckPointer(PackageFile package, Faults faults)
    {
        const string settings = "tools/any/any/DotnetToolSettings.xml";
        foreach (string file in package.Files.Keys.Except([.. CommonRules.Files, settings]))
            faults.Add(package.Id, $"holds {file}; it should only name the systems");
        if (!package.Files.ContainsKey(settings))
        {
            faults.Add(package.Id, $"does not hold {settings}");
            return;
        }

        string text = Encoding.UTF8.GetString(package.Read(settings));
        foreach (string system in Systems)
            faults.Require(text.Contains($"\"{Id}.{system}\"", StringComparison.Ordinal), package, $"does not name {Id}.{system}");
    }

    private static void CheckProgram(PackageFile package, string system, Faults faults)
    {
        string folder = $"tools/net10.0/{system}/";
        faults.Require(package.Bytes <= MostBytes, package, $"has {package.Bytes} bytes, more than {MostBytes}");
        foreach (string file in (string[])["muse.dll", "muse.deps.json", "muse.runtimeconfig.json", $"models/miniature/{Model}"])
            faults.Require(package.Files.ContainsKey(folder + file), package, $"does not hold {file}");
        int models = Count(package, [Model]);
        int natives = Count(package, NativeLibraries);
        faults.Require(models == 1, package, $"holds the Miniature {models} times");
        faults.Require(natives == 1, package, $"holds {natives} libraries of ONNX Runtime");
        foreach (string file in package.Files.Keys.Where(IsNeedless)) faults.Add(package.Id, $"holds {file}, which nothing needs");
        string licences = folder + "licences/Microsoft.ML.OnnxRuntime/";
        bool licensed = package.Files.Keys.Any(file => file.StartsWith(licences, StringComparison.Ordinal));
        faults.Require(licensed, package, "lacks the licence of ONNX Runtime");
    }

    private static int Count(PackageFile package, string[] names) =>
        package.Files.Keys.Count(file => names.Contains(Path.GetFileName(file)));

    private static bool IsNeedless(string file) =>
        file.EndsWith(".lib", StringComparison.Ordinal) || file.EndsWith(".aar", StringComparison.Ordinal)
        || file.EndsWith(".zip", StringComparison.Ordinal) || file.Contains("providers_cuda", StringComparison.Ordinal)
        || file.Contains("/runtimes/", StringComparison.Ordinal)
        || (file.EndsWith(".xml", StringComparison.Ordinal) && Path.GetFileName(file) != "DotnetToolSettings.xml");
}
