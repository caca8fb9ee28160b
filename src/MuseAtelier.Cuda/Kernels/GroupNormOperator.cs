using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>
/// Group norm of x + bias + residual over 32 groups, channels last, with SiLU where asked for. Inputs: x [n, h, w, c]; scale and offset [c] fp32;
/// residual [n, h, w, c] or [n, c], optional; bias [c], optional. Outputs: normed; sum, optional.
/// </summary>
internal sealed class GroupNormOperator(string name, string suffix, TensorElementType type) : KernelOperator(
    name,
    [new(type), new(TensorElementType.Float), new(TensorElementType.Float), new(type, IsOptional: true), new(type, IsOptional: true)],
    [new(type), new(type, IsOptional: true)])
{
    private const int Groups = 32, Octet = 8, MostThreads = 512, MostChannels = Octet * MostThreads, RowsInFlight = 4;

    public override OperatorKernel CreateKernel(nint info) =>
        new Kernel(KernelModule.Current, suffix, OrtCustomOperator.FloatAttribute(info, "epsilon\0"u8), OrtCustomOperator.IntegerAttribute(info, "silu\0"u8) != 0 ? 1 : 0);

    private sealed unsafe class Kernel(KernelModule module, string suffix, float epsilon, int silu) : OperatorKernel
    {
        private readonly nint _sums = module.Function($"group_sums_{suffix}");
        private readonly nint _scale = module.Function($"group_scale_{suffix}");

        public override void Compute(nint context)
        {
            Span<long> shape = stackalloc long[4], residualShape = stackalloc long[4];
            nint x = OrtCustomOperator.Input(context, 0, shape, out int rank), scale = OrtCustomOperator.Input(context, 1), offset = OrtCustomOperator.Input(context, 2);
            nint residual = OrtCustomOperator.Input(context, 3, residualShape, out int residualRank), bias = OrtCustomOperator.Input(context, 4);
            int images = (int)shape[0], rows = (int)(shape[1] * shape[2]), channels = (int)shape[3];
            if (rank != 4 || channels % Groups != 0 || channels > MostChannels || images > KernelModule.LargestBatch)
                throw new NotSupportedException($"GroupNorm takes images of at most {MostChannels} channels, a multiple of {Groups}, and {KernelModule.LargestBatch} at a time; this has {channels} and {images}.");
            nint y = OrtCustomOperator.Output(context, 0, shape), sum = OrtCustomOperator.Output(context, 1, shape), stream = OrtCustomOperator.Stream(context);
            Scratch scratch = module.ScratchOf(stream);

            // A sum that nobody wants is put where the result goes; or nowhere, where all rows get the same added, which is then added twice.
            bool addsWhole = residual != 0 && residualRank == 4;
            if (addsWhole && sum == 0) sum = y;
            nint source = sum != 0 ? sum : x, again = sum != 0 ? 0 : residual, biasAgain = sum != 0 ? 0 : bias;
            int octets = channels / Octet, rowsAtOnce = MostThreads / octets, threads = rowsAtOnce * octets, residualRows = residualRank == 2 ? 1 : rows;
            int rowsOfBlock = rowsAtOnce * RowsInFlight, blocks = Math.Clamp((rows + rowsOfBlock - 1) / rowsOfBlock, 1, Math.Max(1, KernelModule.SummingBlocks / images));
            int sharedBytes = 2 * rowsAtOnce * channels * sizeof(float);
            nint partials = scratch.Partials, tickets = scratch.Tickets, statistics = scratch.Statistics;
            float eps = epsilon;
            int activate = silu;
            KernelModule.Launch(
                _sums, blocks, images, threads, sharedBytes, stream,
                [(nint)(&x), (nint)(&residual), (nint)(&bias), (nint)(&sum), (nint)(&partials), (nint)(&tickets), (nint)(&statistics), (nint)(&rows), (nint)(&channels), (nint)(&residualRows), (nint)(&eps)]);
            int scalingBlocks = Math.Clamp((rows + rowsOfBlock - 1) / rowsOfBlock, 1, 2048);
            KernelModule.Launch(
                _scale, scalingBlocks, images, threads, 0, stream,
                [(nint)(&source), (nint)(&again), (nint)(&biasAgain), (nint)(&scale), (nint)(&offset), (nint)(&statistics), (nint)(&y), (nint)(&rows), (nint)(&channels), (nint)(&activate)]);
        }
    }
}
