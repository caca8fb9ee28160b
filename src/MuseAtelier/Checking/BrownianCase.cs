using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>
/// The noise of torchsde's BrownianTree over the Karras schedule of six steps. <c>brownian.SEED</c> has five draws, each from one noise
/// level to the next; <c>brownian_large.SEED</c> the first 16 and the last 16 values of the second draw for latents [1, 4, 64, 96].
/// </summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Seed">The seed.</param>
/// <param name="IsLarge">Whether the tensor has the ends of a large draw.</param>
internal sealed record BrownianCase(string Name, ulong Seed, bool IsLarge) : RecordedCase(Name)
{
    private const int Steps = 6;
    private const int LargeLength = 4 * 64 * 96;
    private const int End = 16;

    /// <inheritdoc/>
    public override SamplerCase Run(SamplerValues values)
    {
        float[] reference = IsLarge ? values.Floats(Name, 2 * End) : values.Rows(Name, Steps - 1);
        int length = IsLarge ? LargeLength : reference.Length / (Steps - 1);
        float[][] drawn = Draw(length);
        float[] ours = IsLarge ? [.. drawn[1][..End], .. drawn[1][^End..]] : [.. drawn.SelectMany(draw => draw)];
        return new SamplerCase(Name, ErrorOf(ours, reference), AllowedOfLatents);
    }

    private static unsafe NativeBuffer Allocate(long bytes) =>
        new((nint)NativeMemory.AlignedAlloc((nuint)bytes, 64), bytes, static address => NativeMemory.AlignedFree((void*)address));

    private float[][] Draw(int length)
    {
        SigmaSchedule schedule = ScheduleCase.ScheduleOf("karras", Steps)!;
        var sampler = new SilentSampler(schedule);
        var guidance = new Guidance(new PictureRequest { Prompt = "", GuidanceScale = 1 });
        var recipe = new SamplingRecipe(schedule, sampler, new EpsilonPrediction(), guidance) { InitialNoiseScale = 1 };
        using var batch = new LatentBatch(new NoDenoiser(length), BatchSlot.Alone, 1, guidance, sampler, Allocate);
        PictureNoise source = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Comfy, Seed);
        using var noise = new BatchNoise([source], recipe, length, Allocate);
        List<float[]> drawn = [];
        foreach (Evaluation evaluation in sampler.Evaluations[..(Steps - 1)])
        {
            noise.Draw(evaluation, batch);
            drawn.Add(batch.Noise(0).ToArray());
        }

        return [.. drawn];
    }

    /// <summary>A sampler that draws Brownian noise in every step but the last, and leaves the latents as they are.</summary>
    private sealed class SilentSampler(SigmaSchedule schedule) : Sampler(OnePerStep(schedule, step => step < schedule.Steps - 1 ? 1 : 0))
    {
        /// <inheritdoc/>
        public override StepNoise StepNoise => StepNoise.Brownian;

        /// <inheritdoc/>
        public override void Advance(in Evaluation evaluation, SamplerState state)
        {
        }
    }

    /// <summary>A denoiser of one row that is never run.</summary>
    private sealed class NoDenoiser(int length) : IDenoiser
    {
        private readonly float[] _values = new float[length];

        /// <inheritdoc/>
        public int Rows => 1;

        /// <inheritdoc/>
        public Precision Precision => Precision.Fp32;

        /// <inheritdoc/>
        public Span<float> Input => _values;

        /// <inheritdoc/>
        public Span<float> Output => _values;

        /// <inheritdoc/>
        public void Start(int evaluation, RunOptions options, CancellationToken cancellationToken) => throw new NotSupportedException();

        /// <inheritdoc/>
        public void Wait() => throw new NotSupportedException();
    }
}
