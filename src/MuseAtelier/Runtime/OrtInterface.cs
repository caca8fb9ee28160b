using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Runtime;

/// <summary>ONNX Runtime's C interface, for what its .NET one leaves out. (onnxruntime_c_api.h)</summary>
internal static unsafe partial class OrtInterface
{
    /// <summary>The version of the interface that is asked for: the first that has all that is called here.</summary>
    public const uint Version = OnnxLibrary.LeastInterface;

    /// <summary>The functions.</summary>
    public static OrtApi* Api { get; } = Load();

    /// <summary>Fails with ONNX Runtime's own words where a call failed, whose status it releases.</summary>
    /// <exception cref="InvalidOperationException">The call failed.</exception>
    public static void Check(nint status)
    {
        if (status == 0) return;
        string message = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)Api->GetErrorMessage)(status)) ?? "";
        ((delegate* unmanaged[Cdecl]<nint, void>)Api->ReleaseStatus)(status);
        throw new InvalidOperationException(message);
    }

    // Which library it is has been looked at before: here another one would be a failure of a type's initializer.
    private static OrtApi* Load() => (OrtApi*)((delegate* unmanaged[Cdecl]<uint, nint>)((OrtApiBase*)OrtGetApiBase())->GetApi)(Version);

    [LibraryImport("onnxruntime")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial nint OrtGetApiBase();
}
