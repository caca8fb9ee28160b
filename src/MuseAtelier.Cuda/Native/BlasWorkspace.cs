using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>
/// Bounds cuBLAS's workspaces. Each of ONNX Runtime's sessions has handles of its own, and on Hopper each handle takes 32 MiB: 3.5 GiB in all that
/// no plan could account for. Of 4 MiB, 1 MiB, 256 KiB, 16 KiB and none at all, none was slower (H200, 1024x1024).
/// </summary>
internal static partial class BlasWorkspace
{
    private const string Variable = "CUBLAS_WORKSPACE_CONFIG", Bounded = ":256:1";

    /// <summary>Sets the bound for handles made from now on, unless the user has set one.</summary>
    public static void Bound()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 }) return;
        Environment.SetEnvironmentVariable(Variable, Bounded);
        // .NET keeps a copy of the environment on Unix, which native code never sees.
        if (!OperatingSystem.IsWindows()) _ = SetEnvironment(Variable, Bounded, overwrite: 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
