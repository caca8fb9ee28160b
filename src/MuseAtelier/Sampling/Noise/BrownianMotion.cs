using System.Numerics.Tensors;
using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>
/// Draws Brownian noise for the pictures of a batch, by several threads; allocates nothing managed. Each number follows from the same fp32
/// operations in the same order as in torchsde, so that neither the number of threads nor other pictures change it.
/// </summary>
internal sealed class BrownianMotion : IDisposable
{
    /// <summary>The most numbers that a thread computes as one part of the work.</summary>
    private const int Part = 8192;

    private const int Block = 256;

    private readonly BrownianPlan _plan;
    private readonly BrownianNoise?[] _noise;
    private readonly int[] _pictures;
    private readonly NativeBuffer[] _memory;
    private readonly int _length;
    private readonly int _mostSteps;
    private readonly NoiseThreads _threads;
    private readonly FillWork _fill;
    private readonly SumWork _sum;

    /// <summary>Allocates the memory: <see cref="BrownianPlan.Slots"/> latent-sized buffers for each picture.</summary>
    /// <param name="plan">The draws.</param>
    /// <param name="noise">The Brownian motion of each picture of the batch; null for one that has none.</param>
    /// <param name="length">The numbers of a picture's latents.</param>
    /// <param name="allocate">Allocates host memory of a number of bytes.</param>
    /// <param name="threads">The threads that draw; disposed with this object.</param>
    public BrownianMotion(
        BrownianPlan plan, BrownianNoise?[] noise, int length, Func<long, NativeBuffer> allocate, NoiseThreads threads)
    {
        _plan = plan;
        _noise = noise;
        _length = length;
        _threads = threads;
        _fill = new FillWork(this);
        _sum = new SumWork(this);
        _mostSteps = plan.MostSteps;
        _pictures = [.. Enumerable.Range(0, noise.Length).Where(i => noise[i] is not null)];
        _memory = new NativeBuffer[_pictures.Length];
        try
        {
            for (int i = 0; i < _memory.Length; i++) _memory[i] = allocate((long)plan.Slots * length * sizeof(float));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether a picture of the batch takes its noise from here.</summary>
    public bool Serves(int picture) => _noise[picture] is not null;

    /// <summary>Draws the noise of an evaluation for all pictures that have a Brownian motion.</summary>
    public void Draw(in Evaluation evaluation, LatentBatch batch)
    {
        ReadOnlySpan<BrownianDraw> draws = _plan.Draws(evaluation.Index);
        for (int draw = 0; draw < draws.Length; draw++)
        {
            _fill.Draw = draws[draw];
            _threads.Run(_fill, draws[draw].Fills.Length * _pictures.Length);
            _sum.Draw = draws[draw];
            _sum.Index = draw;
            _sum.Batch = batch;
            _threads.Run(_sum, _sum.Parts * _pictures.Length);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _threads.Dispose();
        foreach (NativeBuffer? memory in _memory) memory?.Dispose();
    }

    private Span<float> Slot(int index, int slot) => _memory[index].AsSpan<float>().Slice(slot * _length, _length);

    /// <summary>Draws the normal numbers of nodes.</summary>
    private sealed class FillWork(BrownianMotion motion) : INoiseWork
    {
        public BrownianDraw Draw { get; set; } = null!;

        /// <inheritdoc/>
        public void Do(int part)
        {
            int index = part / Draw.Fills.Length;
            BrownianFill fill = Draw.Fills[part % Draw.Fills.Length];
            BrownianNoise noise = motion._noise[motion._pictures[index]]!;
            uint seed = fill.Depth is { } depth
                ? SeedSequence.First(noise.Entropy, fill.Key, (uint)depth)
                : SeedSequence.First(noise.Entropy);
            noise.Normals.Fill(seed, motion.Slot(index, fill.Slot));
        }
    }

    /// <summary>Computes the increments from the normal numbers.</summary>
    private sealed class SumWork(BrownianMotion motion) : INoiseWork
    {
        public BrownianDraw Draw { get; set; } = null!;

        public int Index { get; set; }

        public LatentBatch Batch { get; set; } = null!;

        /// <summary>The parts of one picture.</summary>
        public int Parts => (motion._length + Part - 1) / Part;

        /// <inheritdoc/>
        public void Do(int part)
        {
            int index = part / Parts, first = part % Parts * Part;
            Span<float> noise = Batch.Noise(motion._pictures[index], Index + 1)[(Index * motion._length)..];
            int end = Math.Min(first + Part, motion._length);
            // Each node above the end of the interval keeps at most one increment; four are in use besides.
            Span<float> scratch = stackalloc float[(motion._mostSteps + 4) * Block];
            for (int i = first; i < end; i += Block)
                Sum(index, i, scratch, noise.Slice(i, Math.Min(Block, end - i)));
        }

        // Follows the steps for a block of numbers.
        private void Sum(int index, int first, Span<float> scratch, Span<float> sum)
        {
            int length = sum.Length, kept = 0;
            Span<float> node = scratch[..length], lower = scratch.Slice(Block, length), unused = scratch.Slice(2 * Block, length);
            Span<float> fork = scratch.Slice(3 * Block, length), rest = scratch[(4 * Block)..];
            sum.Clear();
            foreach (BrownianStep step in Draw.Steps)
            {
                switch (step.Turn)
                {
                    case BrownianTurn.Root:
                        TensorPrimitives.Multiply(Normal(step), step.Deviation, node);
                        break;
                    case BrownianTurn.Lower:
                        step.Divide(node, Normal(step), node, unused);
                        break;
                    case BrownianTurn.Upper:
                        step.Divide(node, Normal(step), unused, node);
                        break;
                    case BrownianTurn.Fork:
                        step.Divide(node, Normal(step), node, fork);
                        break;
                    case BrownianTurn.KeepUpper:
                        step.Divide(node, Normal(step), node, rest.Slice(kept++ * Block, length));
                        break;
                    case BrownianTurn.AddLower:
                        step.Divide(node, Normal(step), lower, node);
                        TensorPrimitives.Add(sum, lower, sum);
                        break;
                    case BrownianTurn.EndOfLower:
                        node.CopyTo(sum);
                        while (kept > 0) TensorPrimitives.Add(sum, rest.Slice(--kept * Block, length), sum);
                        fork.CopyTo(node);
                        break;
                    default:
                        TensorPrimitives.Add(sum, node, sum);
                        break;
                }
            }

            if (Draw.Steps.Length > 0) TensorPrimitives.Divide(sum, Draw.Divisor, sum);

            ReadOnlySpan<float> Normal(in BrownianStep step) => motion.Slot(index, step.Slot).Slice(first, length);
        }
    }
}
