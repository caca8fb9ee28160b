using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>What the CUDA libraries say of their own versions. Only for libraries that <see cref="CudaLibraries.Load"/> found.</summary>
internal static partial class CudaVersions
{
    private const int Major = 0, Minor = 1, Patch = 2;

    static CudaVersions() => CudaLibraries.Resolve();

    public static Version? Runtime() => CudaRuntime.RuntimeGetVersion(out int version) == CudaRuntime.Success ? OfCuda(version) : null;

    public static Version? Blas() =>
        BlasGetProperty(Major, out int major) == 0 && BlasGetProperty(Minor, out int minor) == 0 && BlasGetProperty(Patch, out int patch) == 0 ? new Version(major, minor, patch) : null;

    public static Version Dnn() => OfDnn((long)DnnGetVersion());

    /// <summary>The CUDA version that cuDNN was built for, which its file's name does not tell.</summary>
    public static Version DnnCuda() => OfCuda((int)DnnGetCudartVersion());

    /// <summary>CUDA's number of a version, 1000 * major + 10 * minor.</summary>
    public static Version OfCuda(int number) => new(number / 1000, number % 1000 / 10);

    /// <summary>cuDNN's number of a version: 10000 * major + 100 * minor + patch since 9, 1000 * major + 100 * minor + patch before.</summary>
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
