using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>
/// x + bias + residual, channels last. Inputs: x and residual of one shape, [.., c], where the residual may have a type of its own; bias
/// [c] of x's type. Output: x's shape and type.
/// </summary>
internal sealed class BiasedSumOperator(string name, string kernel, TensorElementType type, TensorElementType residual)
    : KernelOperator(name, [new(type), new(type), new(residual)], [new(type)])
{
    private const int Octet = 8, Threads = 256;

    public override OperatorKernel CreateKernel(nint info) => new Kernel(kernel);

    private sealed unsafe class Kernel(string kernel) : OperatorKernel
    {
        private readonly nint _sum = KernelModule.Current.Function(kernel);

        public override void Compute(nint context)
        {
            Span<long> shape = stackalloc long[4];
            nint x = OrtCustomOperator.Input(context, 0, shape, out int rank);
            nint bias = OrtCustomOperator.Input(context, 1);
            nint residual = OrtCustomOperator.Input(context, 2);
            shape = shape[..rank];
            int channels = (int)shape[^1];
            if (channels % Octet != 0)
                throw new NotSupportedException($"A sum takes a multiple of {Octet} channels; this has {channels}.");
            long elements = 1;
            foreach (long size in shape) elements *= size;
            int rows = (int)(elements / channels);
            nint y = OrtCustomOperator.Output(context, 0, shape);
            int blocks = (int)((elements / Octet + Threads - 1) / Threads);
            KernelModule.Launch(
                _sum, blocks, 1, Threads, 0, OrtCustomOperator.Stream(context),
                [(nint)(&x), (nint)(&bias), (nint)(&residual), (nint)(&y), (nint)(&rows), (nint)(&channels)]);
        }
    }
}
