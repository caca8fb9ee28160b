using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MuseAtelier.Runtime;

/// <summary>ONNX Runtime's native library: whether it loads and is the one that this program was built for. Looked at before anything of ONNX Runtime's .NET part, which fails without a word on another one.</summary>
internal static unsafe partial class OnnxLibrary
{
    private static readonly Lock Gate = new();
    private static OnnxRuntimeLibraryException? _problem;
    private static bool _isKnown;

    /// <summary>The release whose functions are called: the C interface's version is the second number of ONNX Runtime's.</summary>
    public const uint LeastInterface = 23;

    /// <summary>The version that the library states; null where it does not load.</summary>
    public static string? Version { get; private set; }

    /// <summary>Fails where the library does not load or is too old; tells at once after the first time.</summary>
    /// <exception cref="OnnxRuntimeLibraryException">It cannot be used.</exception>
    public static void Require()
    {
        if (Problem() is { } problem) throw problem;
    }

    /// <summary>Why the library cannot be used; null where it can.</summary>
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

    /// <summary>What a failure to load is, in words; any other exception is passed on.</summary>
    /// <param name="load">Gives the library's table of entry points.</param>
    internal static OnnxRuntimeLibraryException? Find(Func<nint> load)
    {
        try
        {
            // OrtApiBase: GetApi(version), then GetVersionString().
            var table = (nint*)load();
            if (table == null) return OnnxRuntimeLibraryException.Foreign(LoadedFile(), null);
            string? version = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)table[1])());
            // 0 where the library is older than the interface.
            if (((delegate* unmanaged[Cdecl]<uint, nint>)table[0])(LeastInterface) == 0) return OnnxRuntimeLibraryException.Foreign(LoadedFile(), version);
            Version = version;
            return null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return exception is EntryPointNotFoundException ? OnnxRuntimeLibraryException.Foreign(LoadedFile(), null, exception) : OnnxRuntimeLibraryException.Unloadable(exception);
        }
    }

    private static nint Load() => OrtGetApiBase();

    // Which of several files of that name the system took: Windows has one of its own.
    private static string LoadedFile()
    {
        try
        {
            using var process = Process.GetCurrentProcess();
            foreach (ProcessModule module in process.Modules)
            {
                if (module.ModuleName.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase) && !module.ModuleName.Contains("providers", StringComparison.OrdinalIgnoreCase)
                    && !module.ModuleName.StartsWith("Microsoft.", StringComparison.OrdinalIgnoreCase)) return module.FileName;
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception or NotSupportedException)
        {
            // Then it is not known.
        }

        return "the library named onnxruntime";
    }

    [LibraryImport("onnxruntime")]
    [UnmanagedCallConv(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static partial nint OrtGetApiBase();
}
