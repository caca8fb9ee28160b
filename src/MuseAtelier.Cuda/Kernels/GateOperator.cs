using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>
/// GEGLU: with h = x + bias, the first half of h times gelu of the second. Inputs: x [n, s, 2 w]; bias [2 w]. Output: [n, s, w].
/// </summary>
internal sealed class GateOperator(string name, string suffix, TensorElementType type)
    : KernelOperator(name, [new(type), new(type)], [new(type)])
{
    private const int Octet = 8, Threads = 160;

    public override OperatorKernel CreateKernel(nint info) => new Kernel(suffix);

    private sealed unsafe class Kernel(string suffix) : OperatorKernel
    {
        private readonly nint _gate = KernelModule.Current.Function($"gate_{suffix}");

        public override void Compute(nint context)
        {
            Span<long> shape = stackalloc long[3];
            nint x = OrtCustomOperator.Input(context, 0, shape, out int rank);
            nint bias = OrtCustomOperator.Input(context, 1);
            if (rank != 3 || shape[2] % (2 * Octet) != 0)
                throw new NotSupportedException($"Gate takes tokens whose width is a multiple of {2 * Octet}; this has {shape[2]}.");
            int rows = (int)(shape[0] * shape[1]);
            int width = (int)(shape[2] / 2);
            shape[2] = width;
            nint y = OrtCustomOperator.Output(context, 0, shape);
            int octets = width / Octet;
            int threads = Math.Min(Threads, (octets + 31) / 32 * 32);
            KernelModule.Launch(
                _gate, rows, (octets + threads - 1) / threads, threads, 0, OrtCustomOperator.Stream(context),
                [(nint)(&x), (nint)(&bias), (nint)(&y), (nint)(&width)]);
        }
    }
}
