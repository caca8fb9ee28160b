using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>
/// Group norm of x + bias + residual over 32 groups, channels last, followed by SiLU where the attribute "silu" is not 0. Inputs: x
/// [n, h, w, c]; scale and offset [c] fp32; residual [n, h, w, c] or [n, c], optional; bias [c], optional. Outputs: the norm; the sum,
/// optional.
/// </summary>
internal sealed class GroupNormOperator(string name, string suffix, TensorElementType type) : KernelOperator(
    name,
    [new(type), new(TensorElementType.Float), new(TensorElementType.Float), new(type, IsOptional: true), new(type, IsOptional: true)],
    [new(type), new(type, IsOptional: true)])
{
    private const int Groups = 32, Octet = 8, RowsInFlight = 4;
    private const int MostThreads = 512, MostChannels = Octet * MostThreads;
    private const int MostScalingBlocks = 2048;

    public override OperatorKernel CreateKernel(nint info)
    {
        KernelModule module = KernelModule.Current;
        float epsilon = OrtCustomOperator.FloatAttribute(info, "epsilon\0"u8);
        int silu = OrtCustomOperator.IntegerAttribute(info, "silu\0"u8) != 0 ? 1 : 0;
        return new Kernel(module, suffix, epsilon, silu);
    }

    private static void ThrowIfUnsupported(int rank, int channels, int images)
    {
        const int mostImages = KernelModule.LargestBatch;
        if (rank == 4 && channels % Groups == 0 && channels <= MostChannels && images <= mostImages) return;
        throw new NotSupportedException(
            $"GroupNorm takes images of at most {MostChannels} channels, a multiple of {Groups}, and {mostImages} at a time; "
            + $"this has {channels} and {images}.");
    }

    private sealed unsafe class Kernel(KernelModule module, string suffix, float epsilon, int silu) : OperatorKernel
    {
        private readonly nint _sums = module.Function($"group_sums_{suffix}");
        private readonly nint _scale = module.Function($"group_scale_{suffix}");

        public override void Compute(nint context)
        {
            Span<long> shape = stackalloc long[4];
            Span<long> residualShape = stackalloc long[4];
            nint x = OrtCustomOperator.Input(context, 0, shape, out int rank);
            nint scale = OrtCustomOperator.Input(context, 1);
            nint offset = OrtCustomOperator.Input(context, 2);
            nint residual = OrtCustomOperator.Input(context, 3, residualShape, out int residualRank);
            nint bias = OrtCustomOperator.Input(context, 4);
            int images = (int)shape[0];
            int rows = (int)(shape[1] * shape[2]);
            int channels = (int)shape[3];
            ThrowIfUnsupported(rank, channels, images);
            nint y = OrtCustomOperator.Output(context, 0, shape);
            nint sum = OrtCustomOperator.Output(context, 1, shape);
            nint stream = OrtCustomOperator.Stream(context);
            Scratch scratch = module.ScratchOf(stream);

            // If the caller does not need the sum, it is stored in the output buffer; for a per-channel addend it is not stored at all but
            // recomputed by the second kernel.
            if (sum == 0 && residual != 0 && residualRank == 4) sum = y;
            nint source = sum != 0 ? sum : x;
            nint again = sum != 0 ? 0 : residual;
            nint biasAgain = sum != 0 ? 0 : bias;
            int rowsAtOnce = MostThreads / (channels / Octet);
            int threads = rowsAtOnce * (channels / Octet);
            int residualRows = residualRank == 2 ? 1 : rows;
            int rowsOfBlock = rowsAtOnce * RowsInFlight;
            int blocks = Math.Clamp((rows + rowsOfBlock - 1) / rowsOfBlock, 1, Math.Max(1, KernelModule.SummingBlocks / images));
            int sharedBytes = 2 * rowsAtOnce * channels * sizeof(float);
            nint partials = scratch.Partials;
            nint tickets = scratch.Tickets;
            nint statistics = scratch.Statistics;
            float eps = epsilon;
            int activate = silu;
            KernelModule.Launch(
                _sums, blocks, images, threads, sharedBytes, stream,
                [(nint)(&x), (nint)(&residual), (nint)(&bias), (nint)(&sum), (nint)(&partials), (nint)(&tickets), (nint)(&statistics),
                    (nint)(&rows), (nint)(&channels), (nint)(&residualRows), (nint)(&eps)]);
            int scalingBlocks = Math.Clamp((rows + rowsOfBlock - 1) / rowsOfBlock, 1, MostScalingBlocks);
            KernelModule.Launch(
                _scale, scalingBlocks, images, threads, 0, stream,
                [(nint)(&source), (nint)(&again), (nint)(&biasAgain), (nint)(&scale), (nint)(&offset), (nint)(&statistics), (nint)(&y),
                    (nint)(&rows), (nint)(&channels), (nint)(&activate)]);
        }
    }
}
