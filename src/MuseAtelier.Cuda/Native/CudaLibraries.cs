using System.Reflection;
using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>Finds NVIDIA's libraries under their file names on each system, the newest version first.</summary>
internal static unsafe partial class CudaLibraries
{
    public const string Runtime = "cudart";
    public const string Driver = "cuda";
    public const string Blas = "cublas";
    public const string Dnn = "cudnn";
    public const string Management = "nvml";

    // The further libraries that ONNX Runtime's library for CUDA needs, in the order in which they depend on each other.
    private static readonly string[] Companions =
        ["libnvJitLink.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10", "libnvrtc.so.13", "libcudart.so.13"];

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = [];
    private static bool _resolving;

    // Both calls must precede the first load of a CUDA library, and only this class loads CUDA libraries.
    static CudaLibraries()
    {
        BlasWorkspace.Bound();
        if (OperatingSystem.IsWindows()) LeaveOutWorkingFolder();
    }

    /// <summary>Makes this class resolve the assembly's imports. Only the first call in a process has an effect.</summary>
    public static void Resolve()
    {
        lock (Gate)
        {
            if (_resolving) return;
            NativeLibrary.SetDllImportResolver(typeof(CudaLibraries).Assembly, Import);
            _resolving = true;
        }
    }

    /// <summary>The library's handle, which stays valid for the process; 0 where no candidate loads.</summary>
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

    /// <summary>The system's message of why a library does not load; null where no file of its names exists.</summary>
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
    /// The system's part of .NET's message about a library, without .NET's own advice; null where the library itself does not exist.
    /// </summary>
    /// <param name="path">The library's name or path, as it was given to the loader.</param>
    /// <param name="message">The message.</param>
    internal static string? Reason(string path, string message)
    {
        // On Unix the loader's own message is the last line, after .NET's advice about strace.
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

    // The paths to try, in order. The folder is null where the system's loader searches for the name by itself.
    private static IEnumerable<(string Path, string? Folder)> Candidates(string library)
    {
        MachineView view = MachineView.This();
        IReadOnlyList<string> folders = library is Driver or Management ? CudaFolders.OfDriver(view) : CudaFolders.OfLibraries(view);
        foreach (string name in FileNames(library))
        {
            // The bare name is tried only on Unix, where the user's own setup decides. On Windows it would search the working folder too.
            if (!view.Windows) yield return (name, null);
            foreach (string folder in folders)
            {
                string path = CudaFolders.Join(view, folder, name);
                if (File.Exists(path)) yield return (path, folder);
            }
        }
    }

    // ONNX Runtime and cuDNN load their parts by name, so the loader must be able to find this folder's libraries.
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

        // Unix reads its search path only at the start of the process, but a library that is already loaded is found by its name.
        foreach (string path in Companions.Select(name => Path.Combine(folder, name)).Where(File.Exists))
            NativeLibrary.TryLoad(path, out _);
    }

    // A host program that has set a DLL folder of its own has already excluded the working folder.
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
