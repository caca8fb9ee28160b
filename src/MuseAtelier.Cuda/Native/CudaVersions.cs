using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>
/// The versions that the CUDA libraries report. Each member may be used only after <see cref="CudaLibraries.Load"/> has found its
/// library.
/// </summary>
internal static partial class CudaVersions
{
    private const int Major = 0, Minor = 1, Patch = 2;

    static CudaVersions() => CudaLibraries.Resolve();

    public static Version? Runtime() => CudaRuntime.RuntimeGetVersion(out int version) == CudaRuntime.Success ? OfCuda(version) : null;

    public static Version? Blas()
    {
        if (BlasGetProperty(Major, out int major) != 0) return null;
        if (BlasGetProperty(Minor, out int minor) != 0) return null;
        return BlasGetProperty(Patch, out int patch) == 0 ? new Version(major, minor, patch) : null;
    }

    public static Version Dnn() => OfDnn((long)DnnGetVersion());

    /// <summary>The CUDA version that cuDNN was built for; the file's name does not state it.</summary>
    public static Version DnnCuda() => OfCuda((int)DnnGetCudartVersion());

    /// <summary>The version for CUDA's number, 1000 * major + 10 * minor.</summary>
    public static Version OfCuda(int number) => new(number / 1000, number % 1000 / 10);

    /// <summary>
    /// The version for cuDNN's number: 10000 * major + 100 * minor + patch since version 9, 1000 * major + 100 * minor + patch before.
    /// </summary>
    public static Version OfDnn(long number)
    {
        long scale = number >= 90000 ? 10000 : 1000;
        return new Version((int)(number / scale), (int)(number % scale / 100), (int)(number % 100));
    }

    [LibraryImport(CudaLibraries.Blas, EntryPoint = "cublasGetProperty")]
    private static partial int BlasGetProperty(int property, out int value);

    [LibraryImport(CudaLibraries.Dnn, EntryPoint = "cudnnGetVersion")]
    private static partial nuint DnnGetVersion();

    [LibraryImport(CudaLibraries.Dnn, EntryPoint = "cudnnGetCudartVersion")]
    private static partial nuint DnnGetCudartVersion();
}
