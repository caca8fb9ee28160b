using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Diffusion;

/// <summary>
/// The latents of the pictures that are denoised together, each with its own noise and hashes, one behind the other in host memory. Rows of
/// the network that no picture wants repeat the first one's, so that a pass of a kind is always as large.
/// </summary>
internal sealed class DenoisingLoop : IDisposable
{
    private readonly Denoiser _network;
    private readonly SigmaSchedule _schedule;
    private readonly EulerAncestralSampler _sampler;
    private readonly NoiseStreams[] _streams;
    private readonly StepHashes[] _hashes;
    private readonly PreviewGrid? _sheet;
    private readonly NativeBuffer _block;
    private readonly float _guidanceScale;
    private readonly int _length, _rows, _first;
    private readonly Precision _precision;

    /// <summary>Draws the initial noise.</summary>
    /// <param name="pictures">The pictures: one request but for the seeds.</param>
    /// <param name="place">The first one's place; the others follow it.</param>
    /// <param name="network">Prepared for the pass; borrowed.</param>
    /// <param name="schedule">The pictures' schedule.</param>
    /// <param name="sheet">Where previews are painted, or null.</param>
    /// <param name="device">Gives the memory.</param>
    public DenoisingLoop(
        IReadOnlyList<PictureRequest> pictures,
        BatchSlot place,
        Denoiser network,
        SigmaSchedule schedule,
        PreviewGrid? sheet,
        ExecutionDevice device)
        : this(
            [.. pictures.Select(picture => NoiseStreams.Create(picture.NoiseSource, picture.Seed))], pictures[0].GuidanceScale, place,
            network, schedule, sheet, device)
    {
    }

    /// <summary>Draws the initial noise from given streams.</summary>
    /// <param name="streams">The noise of each picture.</param>
    /// <param name="guidanceScale">The guidance scale; without effect where the network has no rows for a negative prompt.</param>
    /// <param name="place">The first picture's place; the others follow it.</param>
    /// <param name="network">Prepared for the pass; borrowed.</param>
    /// <param name="schedule">The pictures' schedule.</param>
    /// <param name="sheet">Where previews are painted, or null.</param>
    /// <param name="device">Gives the memory.</param>
    public DenoisingLoop(
        NoiseStreams[] streams, float guidanceScale, BatchSlot place, Denoiser network, SigmaSchedule schedule, PreviewGrid? sheet,
        ExecutionDevice device)
    {
        (_network, _schedule, _sheet) = (network, schedule, sheet);
        (_rows, _first, _length) = (place.BatchSize, place.Index, network.Input.Length / network.Shape.Batch);
        _guidanceScale = guidanceScale;
        _precision = network.Precision;
        _sampler = new EulerAncestralSampler(schedule);
        _streams = streams;
        _hashes = [.. streams.Select(_ => new StepHashes(schedule.Steps))];
        _block = device.AllocateHost(2L * streams.Length * _length * sizeof(float));

        Span<float> state = State, noise = Noise;
        for (int i = 0; i < _streams.Length; i++) _streams[i].Start.Fill(Of(i, noise));
        noise.CopyTo(state);
        _sampler.ScaleInitialNoiseInPlace(state);
        for (int i = 0; i < _hashes.Length; i++) _hashes[i].Take(0, Of(i, noise), Of(i, state));
    }

    /// <summary>
    /// How much the first prediction resembled its input; null before, and where the first noise level is too low to tell.
    /// </summary>
    public float? FirstResemblance { get; private set; }

    /// <summary>One step of all pictures; allocates nothing managed.</summary>
    /// <exception cref="NotFiniteException">The prediction is not finite.</exception>
    public void Step(int step, RunOptions options, CancellationToken cancellationToken)
    {
        Span<float> x = State, noise = Noise, input = _network.Input, output = _network.Output;
        int half = _rows * _length;
        bool guided = input.Length > half, addsNoise = _sampler.AddsNoise(step);
        Span<float> scaled = input.Slice(_first * _length, x.Length);
        EulerAncestralSampler.ScaleInput(x, _schedule.Sigmas[step], scaled);
        for (int row = 0; row < _rows; row++)
            if (row < _first || row >= _first + _streams.Length) scaled[.._length].CopyTo(Of(row, input));
        if (guided) input[..half].CopyTo(input[half..]);
        _network.Predict(step, options, cancellationToken);

        // Drawn while the device is at work: it depends on nothing that the device computes.
        if (addsNoise)
            for (int i = 0; i < _streams.Length; i++) _streams[i].Steps.Fill(Of(i, noise));
        _network.Await();
        Span<float> prediction = output.Slice(output.Length - half + _first * _length, x.Length);
        if (output.ContainsAnyExceptInRange(float.MinValue, float.MaxValue)) throw NotFiniteException.OfUNet(step + 1, _precision);
        if (step == 0 && _schedule.Sigmas[0] >= PredictionResemblance.LeastSigma)
            FirstResemblance = PredictionResemblance.Measure(scaled, prediction);
        if (guided) EulerAncestralSampler.Guide(output.Slice(_first * _length, x.Length), prediction, _guidanceScale, prediction);
        if (_sheet is not null)
        {
            // The picture that this prediction amounts to shows more than latents that are still full of noise; the input has served.
            _sampler.Denoise(x, prediction, step, scaled);
            for (int i = 0; i < _streams.Length; i++) _sheet.Paint(i, Of(i, scaled));
        }

        _sampler.Step(x, prediction, noise, step);
        for (int i = 0; i < _hashes.Length; i++) _hashes[i].Take(step + 1, addsNoise ? Of(i, noise) : [], Of(i, x));
    }

    /// <summary>A picture's latents, [4, h, w] fp32 as the UNet sees them; borrowed.</summary>
    public ReadOnlySpan<float> Latents(int picture) => Of(picture, State);

    /// <summary>Digests of a picture's start and of its steps so far.</summary>
    public IReadOnlyList<StepHash> Hashes(int picture) => _hashes[picture].All;

    /// <inheritdoc/>
    public void Dispose() => _block.Dispose();

    private Span<float> State => _block.AsSpan<float>()[..(_streams.Length * _length)];

    private Span<float> Noise => _block.AsSpan<float>()[(_streams.Length * _length)..];

    private Span<float> Of(int index, Span<float> block) => block.Slice(index * _length, _length);
}
