using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MuseAtelier.Runtime;

/// <summary>
/// The native library of ONNX Runtime: whether it loads, and whether it has the version that this program needs. This must be checked
/// before the first use of ONNX Runtime's .NET library, which fails on another version without a reason.
/// </summary>
internal static unsafe partial class OnnxLibrary
{
    private static readonly Lock Gate = new();
    private static OnnxRuntimeLibraryException? _problem;
    private static bool _isKnown;

    /// <summary>The version of the C interface that is called. It equals the second number of an ONNX Runtime release.</summary>
    public const uint LeastInterface = 23;

    /// <summary>The version that the library reports; null if it does not load.</summary>
    public static string? Version { get; private set; }

    /// <summary>Throws if the library does not load or is too old. Later calls use the result of the first one.</summary>
    /// <exception cref="OnnxRuntimeLibraryException">The library cannot be used.</exception>
    public static void Require()
    {
        if (Problem() is { } problem) throw problem;
    }

    /// <summary>Returns the reason that the library cannot be used; null if it can.</summary>
    public static OnnxRuntimeLibraryException? Problem()
    {
        lock (Gate)
        {
            if (_isKnown) return _problem;
            _problem = Find(Load);
            _isKnown = true;
            return _problem;
        }
    }

    /// <summary>Loads the library and translates a failure to load. Other exceptions propagate.</summary>
    /// <param name="load">Returns the library's table of entry points.</param>
    internal static OnnxRuntimeLibraryException? Find(Func<nint> load)
    {
        try
        {
            // OrtApiBase has two functions: GetApi(version) and GetVersionString().
            var table = (nint*)load();
            if (table == null) return OnnxRuntimeLibraryException.Foreign(LoadedFile(), null);
            string? version = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)table[1])());
            // GetApi returns 0 if the library is older than the interface.
            if (((delegate* unmanaged[Cdecl]<uint, nint>)table[0])(LeastInterface) == 0)
                return OnnxRuntimeLibraryException.Foreign(LoadedFile(), version);
            Version = version;
            return null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return exception is EntryPointNotFoundException
                ? OnnxRuntimeLibraryException.Foreign(LoadedFile(), null, exception) : OnnxRuntimeLibraryException.Unloadable(exception);
        }
    }

    private static nint Load() => OrtGetApiBase();

    // The path of the file that the system loaded. There may be several of that name, because Windows contains one.
    private static string LoadedFile()
    {
        try
        {
            using var process = Process.GetCurrentProcess();
            foreach (ProcessModule module in process.Modules)
            {
                if (module.ModuleName.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase)
                    && !module.ModuleName.Contains("providers", StringComparison.OrdinalIgnoreCase)
                    && !module.ModuleName.StartsWith("Microsoft.", StringComparison.OrdinalIgnoreCase)) return module.FileName;
            }
        }
        catch (Exception exception)
            when (exception is InvalidOperationException or System.ComponentModel.Win32Exception or NotSupportedException)
        {
            // The modules cannot be listed, so the path stays unknown.
        }

        return "the library named onnxruntime";
    }

    [LibraryImport("onnxruntime")]
    [UnmanagedCallConv(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static partial nint OrtGetApiBase();
}
