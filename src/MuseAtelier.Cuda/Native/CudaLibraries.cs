using System.Reflection;
using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>Finds NVIDIA's libraries under the names that they have on each system; the newest version first.</summary>
internal static unsafe partial class CudaLibraries
{
    public const string Runtime = "cudart", Driver = "cuda", Blas = "cublas", Dnn = "cudnn", Management = "nvml";

    // What ONNX Runtime's library for CUDA needs besides, in the order in which these need each other.
    private static readonly string[] Companions =
        ["libnvJitLink.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10", "libnvrtc.so.13", "libcudart.so.13"];

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = [];
    private static bool _resolving;

    // Both have to be done before the first library of CUDA is loaded, which nobody does but here.
    static CudaLibraries()
    {
        BlasWorkspace.Bound();
        if (OperatingSystem.IsWindows()) LeaveOutWorkingFolder();
    }

    /// <summary>Has this assembly's imports resolved here; once for the process.</summary>
    public static void Resolve()
    {
        lock (Gate)
        {
            if (_resolving) return;
            NativeLibrary.SetDllImportResolver(typeof(CudaLibraries).Assembly, Import);
            _resolving = true;
        }
    }

    /// <summary>The library's handle, which stays for the process; 0 when there is none that loads.</summary>
    public static nint Load(string library)
    {
        lock (Gate)
        {
            if (Loaded.TryGetValue(library, out nint handle)) return handle;
            foreach ((string path, string? folder) in Candidates(library))
            {
                if (!NativeLibrary.TryLoad(path, out handle)) continue;
                Loaded[library] = handle;
                if (folder is not null && library is not (Driver or Management)) ShowToLoader(folder);
                return handle;
            }

            return 0;
        }
    }

    /// <summary>Why a library that is there does not load, in the system's words; null where none of its names is there.</summary>
    public static string? Failure(string library)
    {
        foreach ((string path, _) in Candidates(library))
        {
            try
            {
                NativeLibrary.Load(path);
            }
            catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
            {
                if (Reason(path, exception.Message) is { } reason) return reason;
            }
        }

        return null;
    }

    /// <summary>
    /// What .NET's message about a library says beside its own advice; null where it says that the library itself is not there.
    /// </summary>
    /// <param name="path">The library's name or path, as it was asked for.</param>
    /// <param name="message">The message.</param>
    internal static string? Reason(string path, string message)
    {
        // On Unix the loader's own words are the last line, behind .NET's advice about strace.
        string line = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "";
        bool absent = line.StartsWith(path + ": cannot open shared object file: No such file", StringComparison.Ordinal);
        return absent || line.Length == 0 ? null : line;
    }

    /// <summary>File names to try, in order.</summary>
    public static IReadOnlyList<string> FileNames(string library)
    {
        bool windows = OperatingSystem.IsWindows();
        return library switch
        {
            Runtime => windows ? ["cudart64_13.dll", "cudart64_12.dll"] : ["libcudart.so.13", "libcudart.so.12"],
            Blas => windows ? ["cublas64_13.dll", "cublas64_12.dll"] : ["libcublas.so.13", "libcublas.so.12"],
            Dnn => windows ? ["cudnn64_9.dll", "cudnn64_8.dll"] : ["libcudnn.so.9", "libcudnn.so.8"],
            Driver => windows ? ["nvcuda.dll"] : ["libcuda.so.1"],
            Management => windows ? ["nvml.dll"] : ["libnvidia-ml.so.1"],
            _ => throw new ArgumentOutOfRangeException(nameof(library), library, null),
        };
    }

    // Paths to load, in order, each with its folder where it is not the loader that knows the place.
    private static IEnumerable<(string Path, string? Folder)> Candidates(string library)
    {
        MachineView view = MachineView.This();
        IReadOnlyList<string> folders = library is Driver or Management ? CudaFolders.OfDriver(view) : CudaFolders.OfLibraries(view);
        foreach (string name in FileNames(library))
        {
            // By name on Unix alone, where that is what the user has set up. On Windows it would search the working folder too.
            if (!view.Windows) yield return (name, null);
            foreach (string folder in folders)
            {
                string path = CudaFolders.Join(view, folder, name);
                if (File.Exists(path)) yield return (path, folder);
            }
        }
    }

    // ONNX Runtime and cuDNN load their parts by name, and so would not find them where the loader does not look.
    private static void ShowToLoader(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            const string variable = "PATH";
            string path = Environment.GetEnvironmentVariable(variable) ?? "";
            IEnumerable<string> present = path.Split(';').Select(entry => entry.Trim().Trim('"').TrimEnd('\\'));
            if (!present.Contains(folder, StringComparer.OrdinalIgnoreCase))
                Environment.SetEnvironmentVariable(variable, $"{folder};{path}");
            return;
        }

        // Unix reads its search path once, at the start; but a library that is loaded already is taken by its name.
        foreach (string path in Companions.Select(name => Path.Combine(folder, name)).Where(File.Exists))
            NativeLibrary.TryLoad(path, out _);
    }

    // A host program that has set a folder of its own has taken the working folder out already.
    private static void LeaveOutWorkingFolder()
    {
        char folder;
        if (GetDllDirectory(1, &folder) == 0) _ = SetDllDirectory("");
    }

    private static nint Import(string library, Assembly assembly, DllImportSearchPath? path) =>
        library is Runtime or Driver or Blas or Dnn or Management ? Load(library) : 0;

    [LibraryImport("kernel32", EntryPoint = "SetDllDirectoryW", StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SetDllDirectory(string folder);

    [LibraryImport("kernel32", EntryPoint = "GetDllDirectoryW")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial uint GetDllDirectory(uint length, char* folder);
}
