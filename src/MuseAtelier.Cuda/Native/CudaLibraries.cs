using System.Reflection;
using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>Finds NVIDIA's libraries under the names that they have on each system; the newest version first.</summary>
internal static class CudaLibraries
{
    public const string Runtime = "cudart", Driver = "cuda", Blas = "cublas", Dnn = "cudnn", Management = "nvml";

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = [];
    private static bool _resolving;

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

    /// <summary>The library's handle, which stays for the process; 0 when there is none.</summary>
    public static nint Load(string library)
    {
        lock (Gate)
        {
            if (Loaded.TryGetValue(library, out nint handle)) return handle;
            foreach (string name in FileNames(library))
                if (NativeLibrary.TryLoad(name, out handle)) return Loaded[library] = handle;
            return 0;
        }
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

    private static nint Import(string library, Assembly assembly, DllImportSearchPath? path) =>
        library is Runtime or Driver or Blas or Dnn or Management ? Load(library) : 0;
}
