using System.Text.RegularExpressions;

namespace MuseAtelier.Cuda.Native;

/// <summary>The properties of a machine that decide where CUDA's libraries are searched for. Tests pass views of other machines.</summary>
/// <param name="Windows">Whether paths and folders follow Windows' rules.</param>
/// <param name="Program">The program's own folder.</param>
/// <param name="Variables">The environment's variables. On Windows their names are compared without case.</param>
/// <param name="Folders">Returns the names of a folder's direct subfolders; none where the folder does not exist.</param>
internal sealed record MachineView(
    bool Windows, string Program, IReadOnlyDictionary<string, string> Variables, Func<string, IEnumerable<string>> Folders)
{
    /// <summary>This machine.</summary>
    public static MachineView This()
    {
        StringComparer names = OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        var variables = new Dictionary<string, string>(names);
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        return new MachineView(OperatingSystem.IsWindows(), AppContext.BaseDirectory, variables, ListFolders);
    }

    private static IEnumerable<string> ListFolders(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? [.. new DirectoryInfo(folder).EnumerateDirectories().Select(child => child.Name)] : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}

/// <summary>
/// The folders in which the CUDA libraries are searched for by full path. NVIDIA's installers put them there, whether or not the system's
/// loader searches these folders. The working folder is never one of them.
/// </summary>
internal static partial class CudaFolders
{
    private static readonly string[] Chosen = ["CUDA_HOME", "CUDA_PATH", "CUDNN_PATH"];
    private static readonly string Neural = FormattableString.Invariant($"v{CudaDiagnosis.DnnMajor}");
    private static readonly string Toolkit = FormattableString.Invariant($"{CudaDiagnosis.CudaMajor}");

    /// <summary>The searched places in words, for a message.</summary>
    public static string Places(bool windows) => windows
        ? @"%CUDA_PATH%\bin\x64, %CUDA_PATH_V13_*%\bin\x64, %CUDNN_PATH%\bin, "
            + @"%ProgramFiles%\NVIDIA GPU Computing Toolkit\CUDA\v13.*\bin\x64, %ProgramFiles%\NVIDIA\CUDNN\v9.*\bin\13.*\x64 and PATH"
        : "the loader's own places (LD_LIBRARY_PATH, /etc/ld.so.conf), CUDA_HOME, CUDA_PATH, CUDNN_PATH, /usr/local/cuda-13*, "
            + "/usr/local/cuda, /opt/cuda, CONDA_PREFIX and VIRTUAL_ENV";

    /// <summary>The folders for CUDA's runtime, cuBLAS and cuDNN, in search order. Not all of them need to exist.</summary>
    public static IReadOnlyList<string> OfLibraries(MachineView view)
    {
        IEnumerable<string> folders = view.Windows ? OnWindows(view) : OnLinux(view);
        return Distinct(view, folders.Prepend(view.Program));
    }

    /// <summary>The folders for the driver's own libraries, in search order.</summary>
    public static IReadOnlyList<string> OfDriver(MachineView view)
    {
        if (!view.Windows) return ["/usr/lib/wsl/lib", "/usr/local/nvidia/lib64"];
        var folders = new List<string>();
        if (Variable(view, "SystemRoot") is { } system) folders.Add(Join(view, system, "System32"));
        if (Variable(view, "ProgramFiles") is { } programs) folders.Add(Join(view, programs, "NVIDIA Corporation", "NVSMI"));
        return Distinct(view, folders);
    }

    /// <summary>Joins a path by the rules of the view's system.</summary>
    public static string Join(MachineView view, params IEnumerable<string> parts)
    {
        char separator = view.Windows ? '\\' : '/';
        return string.Join(separator, parts.Select((part, i) => i == 0 ? part.TrimEnd(separator) : part));
    }

    private static IEnumerable<string> OnWindows(MachineView view)
    {
        var toolkits = new List<string>();
        if (Variable(view, "CUDA_PATH") is { } current) toolkits.Add(current);
        string prefix = $"CUDA_PATH_V{Toolkit}_";
        IEnumerable<string> named = view.Variables.Keys.Where(name => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
        toolkits.AddRange(NewestFirst(named).Select(name => view.Variables[name]));
        string? programs = Variable(view, "ProgramFiles");
        if (programs is not null)
            toolkits.AddRange(Versions(view, Join(view, programs, "NVIDIA GPU Computing Toolkit", "CUDA"), "v" + Toolkit));
        // CUDA 13 moved its libraries from bin to bin\x64, but its installer adds only bin to PATH.
        foreach (string toolkit in toolkits)
        {
            yield return Join(view, toolkit, "bin", "x64");
            yield return Join(view, toolkit, "bin");
        }

        var neural = new List<string>();
        if (Variable(view, "CUDNN_PATH") is { } dnn) neural.Add(dnn);
        if (programs is not null)
            neural.AddRange(Versions(view, Join(view, programs, "NVIDIA", "CUDNN"), Neural));
        foreach (string bin in neural.Select(folder => Join(view, folder, "bin")))
        {
            // There is a separate cuDNN for each CUDA version, always under the same file name.
            foreach (string built in Versions(view, bin, Toolkit))
            {
                yield return Join(view, built, "x64");
                yield return built;
            }

            yield return Join(view, bin, "x64");
            yield return bin;
        }

        foreach (string entry in (Variable(view, "PATH") ?? "").Split(';')) yield return entry.Trim().Trim('"');
    }

    private static IEnumerable<string> OnLinux(MachineView view)
    {
        IEnumerable<string> chosen = Chosen.Select(name => Variable(view, name)).OfType<string>();
        IEnumerable<string> toolkits = [.. chosen, .. Versions(view, "/usr/local", "cuda-" + Toolkit), "/usr/local/cuda", "/opt/cuda"];
        foreach (string toolkit in toolkits)
        {
            yield return Join(view, toolkit, "lib64");
            yield return Join(view, toolkit, "targets", "x86_64-linux", "lib");
            yield return Join(view, toolkit, "lib");
        }

        if (Variable(view, "CONDA_PREFIX") is { } conda) yield return Join(view, conda, "lib");
        if (Variable(view, "VIRTUAL_ENV") is not { } python) yield break;
        // NVIDIA's pip packages have one folder for each library.
        string below = Join(view, python, "lib");
        foreach (string version in view.Folders(below).Where(name => name.StartsWith("python3", StringComparison.Ordinal)))
        {
            string packages = Join(view, below, version, "site-packages", "nvidia");
            foreach (string package in view.Folders(packages).Order(StringComparer.Ordinal))
                yield return Join(view, packages, package, "lib");
        }
    }

    private static string? Variable(MachineView view, string name) =>
        view.Variables.TryGetValue(name, out string? value) && value.Length > 0 ? value : null;

    // Subfolders whose name is the prefix, or the prefix followed by a point and more of the version; the newest first.
    private static IEnumerable<string> Versions(MachineView view, string folder, string prefix)
    {
        IEnumerable<string> names = view.Folders(folder).Where(name =>
            name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && (name.Length == prefix.Length || name[prefix.Length] == '.'));
        return NewestFirst(names).Select(name => Join(view, folder, name));
    }

    private static IEnumerable<string> NewestFirst(IEnumerable<string> names) =>
        names.OrderByDescending(VersionOf).ThenBy(name => name, StringComparer.Ordinal);

    private static Version VersionOf(string name)
    {
        string[] numbers = [.. Numbers().Matches(name).Select(match => match.Value).Take(4)];
        string text = numbers.Length < 2 ? string.Join('.', numbers.Append("0").Append("0").Take(2)) : string.Join('.', numbers);
        return Version.TryParse(text, out Version? version) ? version : new Version();
    }

    // Relative paths are left out, because they would mean the working folder, which may hold files of any origin.
    private static List<string> Distinct(MachineView view, IEnumerable<string> folders)
    {
        StringComparer names = view.Windows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        char separator = view.Windows ? '\\' : '/';
        IEnumerable<string> rooted = folders.Where(folder => view.Windows ? WindowsRoot().IsMatch(folder) : folder.StartsWith('/'));
        return [.. rooted.Select(folder => folder.TrimEnd(separator)).Distinct(names)];
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();

    [GeneratedRegex(@"^([A-Za-z]:\\|\\\\)")]
    private static partial Regex WindowsRoot();
}
