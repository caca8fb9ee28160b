using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>
/// Bounds cuBLAS's workspaces. Each of ONNX Runtime's sessions has handles of its own, and on Hopper each handle takes 32 MiB: 3.5 GiB in
/// all that
/// no plan could account for. Of 4 MiB, 1 MiB, 256 KiB, 16 KiB and none at all, none was slower (H200, 1024x1024).
/// </summary>
internal static partial class BlasWorkspace
{
    private const string Variable = "CUBLAS_WORKSPACE_CONFIG", Bounded = ":256:1";

    /// <summary>
    /// Sets the bound for handles made from now on, unless the user has set one. To be called before any library of CUDA is loaded: a C
    /// runtime
    /// on Windows copies the environment once.
    /// </summary>
    public static void Bound()
    {
        string value = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen ? chosen : Bounded;
        Environment.SetEnvironmentVariable(Variable, value);
        try
        {
            // .NET keeps a copy of the environment on Unix, and Windows' C runtime one on Windows: native code would not see the change.
            _ = OperatingSystem.IsWindows() ? PutEnvironment(Variable, value) : SetEnvironment(Variable, value, overwrite: 1);
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            // A system without that C runtime: the libraries still see what the process's own environment holds when they are loaded.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("ucrtbase", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int PutEnvironment(string name, string value);
}
