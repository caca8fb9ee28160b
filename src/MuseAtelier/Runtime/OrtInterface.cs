using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Runtime;

/// <summary>The functions of ONNX Runtime's C interface that its .NET library does not expose (onnxruntime_c_api.h).</summary>
internal static unsafe partial class OrtInterface
{
    /// <summary>The version of the interface: the first one that has all functions called here.</summary>
    public const uint Version = OnnxLibrary.LeastInterface;

    /// <summary>The table of functions.</summary>
    public static OrtApi* Api { get; } = Load();

    /// <summary>Releases the status of a call, and throws with ONNX Runtime's message if the call failed.</summary>
    /// <exception cref="InvalidOperationException">The call failed.</exception>
    public static void Check(nint status)
    {
        if (status == 0) return;
        string message = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)Api->GetErrorMessage)(status)) ?? "";
        ((delegate* unmanaged[Cdecl]<nint, void>)Api->ReleaseStatus)(status);
        throw new InvalidOperationException(message);
    }

    // The library must have been checked before, because a wrong one would make this type's initializer fail.
    private static OrtApi* Load() => (OrtApi*)((delegate* unmanaged[Cdecl]<uint, nint>)((OrtApiBase*)OrtGetApiBase())->GetApi)(Version);

    [LibraryImport("onnxruntime")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial nint OrtGetApiBase();
}
