using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>
/// Layer norm of x + bias + residual. Inputs: x [n, s, c] fp16; residual [n, s, c] fp32; bias [c] fp16; scale and offset [c] fp32. Outputs:
/// the norm, fp16; the sum, fp32. This operator never rounds the residual stream, while ONNX Runtime's own operator rounds it twice in each
/// of hundreds of sums.
/// </summary>
internal sealed class ResidualLayerNormOperator(string name) : KernelOperator(
    name,
    [
        new(TensorElementType.Float16),
        new(TensorElementType.Float),
        new(TensorElementType.Float16),
        new(TensorElementType.Float),
        new(TensorElementType.Float),
    ],
    [new(TensorElementType.Float16), new(TensorElementType.Float)])
{
    private const int Octet = 8, MostChannels = 2048, Threads = 128, Warp = 32;

    public override OperatorKernel CreateKernel(nint info) => new Kernel(OrtCustomOperator.FloatAttribute(info, "epsilon\0"u8));

    private sealed unsafe class Kernel(float epsilon) : OperatorKernel
    {
        private readonly nint _norm = KernelModule.Current.Function("residual_layer_norm");

        public override void Compute(nint context)
        {
            Span<long> shape = stackalloc long[3];
            nint x = OrtCustomOperator.Input(context, 0, shape, out int rank);
            nint residual = OrtCustomOperator.Input(context, 1);
            nint bias = OrtCustomOperator.Input(context, 2);
            nint scale = OrtCustomOperator.Input(context, 3);
            nint offset = OrtCustomOperator.Input(context, 4);
            int rows = (int)(shape[0] * shape[1]);
            int channels = (int)shape[2];
            if (rank != 3 || channels % Octet != 0 || channels > MostChannels)
                throw new NotSupportedException(
                    $"ResidualLayerNorm takes tokens of at most {MostChannels} channels, a multiple of {Octet}; this has {channels}.");
            nint y = OrtCustomOperator.Output(context, 0, shape);
            nint sum = OrtCustomOperator.Output(context, 1, shape);
            float eps = epsilon;
            const int rowsOfBlock = Threads / Warp;
            KernelModule.Launch(
                _norm, (rows + rowsOfBlock - 1) / rowsOfBlock, 1, Threads, 0, OrtCustomOperator.Stream(context),
                [(nint)(&x), (nint)(&residual), (nint)(&bias), (nint)(&scale), (nint)(&offset), (nint)(&y), (nint)(&sum),
                    (nint)(&rows), (nint)(&channels), (nint)(&eps)]);
        }
    }
}
