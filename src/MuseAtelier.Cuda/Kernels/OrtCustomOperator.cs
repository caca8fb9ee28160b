using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Runtime;
using static MuseAtelier.Runtime.OrtInterface;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>
/// Custom operators, which ONNX Runtime's C interface offers and its .NET interface does not. (onnxruntime_c_api.h, OrtCustomOp.)
/// </summary>
internal static unsafe class OrtCustomOperator
{
    private const int Required = 0, Optional = 1;
    private const int Fail = 1;
    private static readonly nint CudaProvider = Marshal.StringToCoTaskMemUTF8("CUDAExecutionProvider");

    /// <summary>Creates a domain of operators. It is never freed, because sessions may refer to it at any time.</summary>
    public static nint CreateDomain(string name, IEnumerable<KernelOperator> operators)
    {
        nint domain;
        nint text = Marshal.StringToCoTaskMemUTF8(name);
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->CreateCustomOpDomain)(text, &domain));
        Marshal.FreeCoTaskMem(text);
        foreach (KernelOperator kernelOperator in operators)
            Check(((delegate* unmanaged[Cdecl]<nint, Table*, nint>)Api->CustomOpDomain_Add)(domain, Describe(kernelOperator)));
        return domain;
    }

    /// <summary>Makes a domain's operators available to sessions with these options.</summary>
    public static void AddDomain(SessionOptions options, nint domain)
    {
        Check(((delegate* unmanaged[Cdecl]<nint, nint, nint>)Api->AddCustomOpDomain)(options.DangerousGetHandle(), domain));
        GC.KeepAlive(options);
    }

    /// <summary>An attribute of the node that a kernel is made for.</summary>
    public static float FloatAttribute(nint info, ReadOnlySpan<byte> name)
    {
        float value;
        var read = (delegate* unmanaged[Cdecl]<nint, byte*, float*, nint>)Api->KernelInfoGetAttribute_float;
        fixed (byte* text = name) Check(read(info, text, &value));
        return value;
    }

    /// <summary>An attribute of the node that a kernel is made for.</summary>
    public static long IntegerAttribute(nint info, ReadOnlySpan<byte> name)
    {
        long value;
        var read = (delegate* unmanaged[Cdecl]<nint, byte*, long*, nint>)Api->KernelInfoGetAttribute_int64;
        fixed (byte* text = name) Check(read(info, text, &value));
        return value;
    }

    /// <summary>The stream that a node runs on.</summary>
    public static nint Stream(nint context)
    {
        nint stream;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->KernelContext_GetGPUComputeStream)(context, &stream));
        return stream;
    }

    /// <summary>An input's data and dimensions; 0 where an optional input is absent.</summary>
    /// <param name="context">The run's context.</param>
    /// <param name="index">The input's number, from 0.</param>
    /// <param name="shape">Receives the dimensions.</param>
    /// <param name="rank">The number of dimensions.</param>
    public static nint Input(nint context, int index, Span<long> shape, out int rank)
    {
        nint value;
        nint data;
        nint info;
        nint count;
        rank = 0;
        Check(((delegate* unmanaged[Cdecl]<nint, nint, nint*, nint>)Api->KernelContext_GetInput)(context, index, &value));
        if (value == 0) return 0;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->GetTensorMutableData)(value, &data));
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->GetTensorTypeAndShape)(value, &info));
        try
        {
            Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->GetDimensionsCount)(info, &count));
            rank = (int)count;
            if (rank > shape.Length) throw new InvalidOperationException($"Input {index} has {rank} dimensions.");
            var read = (delegate* unmanaged[Cdecl]<nint, long*, nint, nint>)Api->GetDimensions;
            fixed (long* dimensions = shape) Check(read(info, dimensions, count));
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<nint, void>)Api->ReleaseTensorTypeAndShapeInfo)(info);
        }

        return data;
    }

    /// <summary>An input's data; 0 where an optional input is absent.</summary>
    public static nint Input(nint context, int index)
    {
        nint value;
        nint data;
        Check(((delegate* unmanaged[Cdecl]<nint, nint, nint*, nint>)Api->KernelContext_GetInput)(context, index, &value));
        if (value == 0) return 0;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->GetTensorMutableData)(value, &data));
        return data;
    }

    /// <summary>An output's memory; 0 where the graph does not use an optional output.</summary>
    public static nint Output(nint context, int index, ReadOnlySpan<long> shape)
    {
        nint value;
        nint data;
        nint count;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->KernelContext_GetOutputCount)(context, &count));
        if (index >= count) return 0;
        var allocate = (delegate* unmanaged[Cdecl]<nint, nint, long*, nint, nint*, nint>)Api->KernelContext_GetOutput;
        fixed (long* dimensions = shape) Check(allocate(context, index, dimensions, shape.Length, &value));
        if (value == 0) return 0;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)Api->GetTensorMutableData)(value, &data));
        return data;
    }

    // The table is never freed, because domains live as long as the process.
    private static Table* Describe(KernelOperator kernelOperator)
    {
        var table = (Table*)NativeMemory.AllocZeroed((nuint)sizeof(Table));
        table->Version = OrtInterface.Version;
        table->GetName = (nint)(delegate* unmanaged[Cdecl]<Table*, nint>)&GetName;
        table->GetExecutionProviderType = (nint)(delegate* unmanaged[Cdecl]<Table*, nint>)&GetExecutionProviderType;
        table->GetInputType = (nint)(delegate* unmanaged[Cdecl]<Table*, nint, int>)&GetInputType;
        table->GetInputTypeCount = (nint)(delegate* unmanaged[Cdecl]<Table*, nint>)&GetInputTypeCount;
        table->GetOutputType = (nint)(delegate* unmanaged[Cdecl]<Table*, nint, int>)&GetOutputType;
        table->GetOutputTypeCount = (nint)(delegate* unmanaged[Cdecl]<Table*, nint>)&GetOutputTypeCount;
        table->KernelDestroy = (nint)(delegate* unmanaged[Cdecl]<nint, void>)&KernelDestroy;
        table->GetInputCharacteristic = (nint)(delegate* unmanaged[Cdecl]<Table*, nint, int>)&GetInputCharacteristic;
        table->GetOutputCharacteristic = (nint)(delegate* unmanaged[Cdecl]<Table*, nint, int>)&GetOutputCharacteristic;
        table->GetInputMemoryType = (nint)(delegate* unmanaged[Cdecl]<Table*, nint, int>)&GetMemoryType;
        nint one = (nint)(delegate* unmanaged[Cdecl]<Table*, int>)&GetOne;
        table->GetVariadicInputMinArity = one;
        table->GetVariadicInputHomogeneity = one;
        table->GetVariadicOutputMinArity = one;
        table->GetVariadicOutputHomogeneity = one;
        table->CreateKernelV2 = (nint)(delegate* unmanaged[Cdecl]<Table*, nint, nint, nint*, nint>)&CreateKernel;
        table->KernelComputeV2 = (nint)(delegate* unmanaged[Cdecl]<nint, nint, nint>)&KernelCompute;
        table->GetStartVersion = one;
        table->GetEndVersion = (nint)(delegate* unmanaged[Cdecl]<Table*, int>)&GetMaximum;
        nint none = (nint)(delegate* unmanaged[Cdecl]<nint*, nint*, nint>)&GetNone;
        table->GetMayInplace = none;
        table->GetAliasMap = none;
        nint releaseNone = (nint)(delegate* unmanaged[Cdecl]<nint, nint, void>)&ReleaseNone;
        table->ReleaseMayInplace = releaseNone;
        table->ReleaseAliasMap = releaseNone;
        table->Name = Marshal.StringToCoTaskMemUTF8(kernelOperator.Name);
        table->Operator = GCHandle.ToIntPtr(GCHandle.Alloc(kernelOperator));
        return table;
    }

    private static KernelOperator Of(Table* table) => (KernelOperator)GCHandle.FromIntPtr(table->Operator).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetName(Table* table) => table->Name;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetExecutionProviderType(Table* table) => Of(table).IsOnCard ? CudaProvider : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInputType(Table* table, nint index) => (int)Of(table).Inputs[(int)index].Type;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetInputTypeCount(Table* table) => Of(table).Inputs.Count;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetOutputType(Table* table, nint index) => (int)Of(table).Outputs[(int)index].Type;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetOutputTypeCount(Table* table) => Of(table).Outputs.Count;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInputCharacteristic(Table* table, nint index) =>
        Of(table).Inputs[(int)index].IsOptional ? Optional : Required;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetOutputCharacteristic(Table* table, nint index) =>
        Of(table).Outputs[(int)index].IsOptional ? Optional : Required;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetMemoryType(Table* table, nint index) => (int)OrtMemType.Default;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetOne(Table* table) => 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetMaximum(Table* table) => int.MaxValue;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetNone(nint* inputs, nint* outputs) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ReleaseNone(nint inputs, nint outputs) { }

#pragma warning disable CA1031 // No exception may cross native frames; it becomes a status, which ONNX Runtime reports as its own failure.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint CreateKernel(Table* table, nint api, nint info, nint* kernel)
    {
        try
        {
            *kernel = GCHandle.ToIntPtr(GCHandle.Alloc(Of(table).CreateKernel(info)));
            return 0;
        }
        catch (Exception exception)
        {
            return Status(exception);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint KernelCompute(nint kernel, nint context)
    {
        try
        {
            ((OperatorKernel)GCHandle.FromIntPtr(kernel).Target!).Compute(context);
            return 0;
        }
        catch (Exception exception)
        {
            return Status(exception);
        }
    }
#pragma warning restore CA1031

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void KernelDestroy(nint kernel) => GCHandle.FromIntPtr(kernel).Free();

    private static nint Status(Exception exception)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(exception.Message + '\0'))
            return ((delegate* unmanaged[Cdecl]<int, byte*, nint>)Api->CreateStatus)(Fail, text);
    }

    // OrtCustomOp in the order of the C header, followed by two members of the project's own.
    [StructLayout(LayoutKind.Sequential)]
    private struct Table
    {
        public uint Version;
        public nint CreateKernelV1;
        public nint GetName;
        public nint GetExecutionProviderType;
        public nint GetInputType;
        public nint GetInputTypeCount;
        public nint GetOutputType;
        public nint GetOutputTypeCount;
        public nint KernelComputeV1;
        public nint KernelDestroy;
        public nint GetInputCharacteristic;
        public nint GetOutputCharacteristic;
        public nint GetInputMemoryType;
        public nint GetVariadicInputMinArity;
        public nint GetVariadicInputHomogeneity;
        public nint GetVariadicOutputMinArity;
        public nint GetVariadicOutputHomogeneity;
        public nint CreateKernelV2;
        public nint KernelComputeV2;
        public nint InferOutputShape;
        public nint GetStartVersion;
        public nint GetEndVersion;
        public nint GetMayInplace;
        public nint ReleaseMayInplace;
        public nint GetAliasMap;
        public nint ReleaseAliasMap;
        public nint Name;
        public nint Operator;
    }
}
