using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>
/// Limits the workspaces of cuBLAS. Each of ONNX Runtime's sessions has handles of its own, and on Hopper each handle takes 32 MiB, which
/// is 3.5 GiB in all that no plan could account for. None of 4 MiB, 1 MiB, 256 KiB, 16 KiB and 0 was slower (H200, 1024x1024).
/// </summary>
internal static partial class BlasWorkspace
{
    private const string Variable = "CUBLAS_WORKSPACE_CONFIG", Bounded = ":256:1";

    /// <summary>
    /// Sets the limit for handles that are created from now on, unless the user has set one. Must be called before any CUDA library is
    /// loaded, because a C runtime on Windows copies the environment only once.
    /// </summary>
    public static void Bound()
    {
        string value = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen ? chosen : Bounded;
        Environment.SetEnvironmentVariable(Variable, value);
        try
        {
            // .NET on Unix and the C runtime on Windows keep copies of the environment, so native code would not see the change above.
            _ = OperatingSystem.IsWindows() ? PutEnvironment(Variable, value) : SetEnvironment(Variable, value, overwrite: 1);
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            // On a system without that C runtime, the libraries still read the process's own environment when they are loaded.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("ucrtbase", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int PutEnvironment(string name, string value);
}
