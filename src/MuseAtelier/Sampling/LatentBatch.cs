using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>
/// The numbers of the pictures that are denoised together, in host memory: latents, noise and the sampler's buffers of each picture, and
/// the rows of the UNet's batch that belong to it. With guidance the first rows are the negative prompt's, one for each slot; the rows of
/// each part of the prompt follow. Unused rows repeat the first picture, so that a batch always has the recorded size and gives identical
/// bits.
/// </summary>
internal sealed class LatentBatch : IDisposable
{
    private readonly IDenoiser _denoiser;
    private readonly NativeBuffer _memory;
    private readonly Guidance _guidance;
    private readonly int _slots;
    private readonly int _first;
    private readonly int _length;
    private readonly int _inputLength;
    private readonly int _draws;
    private readonly int _history;

    /// <summary>Allocates the memory.</summary>
    /// <param name="denoiser">Prepared for the batch; borrowed.</param>
    /// <param name="slot">The slot of the first picture; the others follow it.</param>
    /// <param name="pictures">The number of pictures.</param>
    /// <param name="guidance">Tells the rows of each picture; borrowed.</param>
    /// <param name="sampler">Tells the number of draws and buffers; borrowed.</param>
    /// <param name="allocate">Allocates host memory of a number of bytes.</param>
    /// <exception cref="ArgumentException">The denoiser has another number of rows.</exception>
    public LatentBatch(
        IDenoiser denoiser, BatchSlot slot, int pictures, Guidance guidance, Sampler sampler, Func<long, NativeBuffer> allocate)
    {
        int rows = slot.BatchSize * guidance.RowsPerPicture;
        if (denoiser.Rows != rows)
            throw new ArgumentException($"The denoiser has {denoiser.Rows} rows, and the batch needs {rows}.", nameof(denoiser));
        _denoiser = denoiser;
        _guidance = guidance;
        _slots = slot.BatchSize;
        _first = slot.Index;
        _length = denoiser.Output.Length / rows;
        _inputLength = denoiser.Input.Length / rows;
        // The initial noise needs room for one draw in any case.
        _draws = 1;
        foreach (Evaluation evaluation in sampler.Evaluations) _draws = Math.Max(_draws, evaluation.NoiseDraws);
        _history = sampler.History;
        Pictures = pictures;
        IsGuided = guidance.IsGuided;
        _memory = allocate((long)pictures * Stride * sizeof(float));
    }

    /// <summary>The number of pictures.</summary>
    public int Pictures { get; }

    /// <summary>Whether the evaluation that was begun last has rows for the negative prompt.</summary>
    public bool IsGuided { get; private set; }

    // Rows of the evaluation that was begun last, which are the first ones of the denoiser's rows.
    private int Rows => _slots * (IsGuided ? _guidance.RowsPerPicture : _guidance.Parts);

    // Each picture's memory holds its latents, then its draws of noise, then the sampler's buffers.
    private int Stride => (1 + _draws + _history) * _length;

    /// <summary>Begins an evaluation: from now on inputs and outputs are those of its rows.</summary>
    /// <param name="step">The evaluation's step, from 0.</param>
    public void Begin(int step) => IsGuided = _guidance.IsGuidedAt(step);

    /// <summary>A picture's latents, [4, h, w] fp32.</summary>
    public Span<float> Latents(int picture) => Part(picture, 0, 1);

    /// <summary>The first draws of a picture's noise, [draws, 4, h, w] fp32.</summary>
    public Span<float> Noise(int picture, int draws = 1) => Part(picture, 1, draws);

    /// <summary>A picture's row of the UNet's input without extra channels, [4, h, w] fp32.</summary>
    public Span<float> Input(int picture) => InputRow(_first + picture)[.._length];

    /// <summary>
    /// A picture's clean latents after an evaluation, [4, h, w] fp32. They lie in the UNet's input, which is free from the end of an
    /// evaluation until the next one.
    /// </summary>
    public Span<float> Denoised(int picture) => Input(picture);

    /// <summary>The prediction for a part of a picture's prompt, [4, h, w] fp32; guidance puts its result into the first part's.</summary>
    /// <param name="picture">The picture, from 0.</param>
    /// <param name="part">The part of the prompt, from 0.</param>
    public Span<float> Output(int picture, int part = 0) => OutputRow((part + (IsGuided ? 1 : 0)) * _slots + _first + picture);

    /// <summary>The prediction for a picture's negative prompt, [4, h, w] fp32; only with guidance.</summary>
    public ReadOnlySpan<float> UnconditionalOutput(int picture) => OutputRow(_first + picture);

    /// <summary>The numbers of a picture that a sampler sees.</summary>
    public SamplerState State(int picture) =>
        new(Latents(picture), Denoised(picture), Output(picture), Noise(picture, _draws), Part(picture, 1 + _draws, _history));

    /// <summary>Fills the rows that repeat others: those of unused slots, and those of every prompt but the first.</summary>
    public void CompleteInput()
    {
        for (int slot = 0; slot < _slots; slot++)
        {
            if (slot < _first || slot >= _first + Pictures) Input(0).CopyTo(InputRow(slot));
        }

        int prompt = _slots * _inputLength;
        for (int next = prompt; next < Rows * _inputLength; next += prompt) _denoiser.Input[..prompt].CopyTo(_denoiser.Input[next..]);
    }

    /// <summary>Requires that the UNet reads a number of values beside the latents.</summary>
    /// <param name="count">Extra channels * h * w; 0 if it reads latents alone.</param>
    /// <exception cref="ArgumentException">The UNet reads another number of values.</exception>
    public void RequireExtraChannels(int count)
    {
        if (_length + count != _inputLength)
            throw new ArgumentException($"The UNet reads {_inputLength} numbers a row, not {_length} and {count}.", nameof(count));
    }

    /// <summary>The channels that the UNet reads beside a picture's latents, [extra channels, h, w] fp32.</summary>
    public Span<float> ExtraChannels(int picture) => InputRow(_first + picture)[_length..];

    /// <summary>
    /// Fills the extra channels of all other rows. They stay as they are from then on, because evaluations only write the latents.
    /// </summary>
    public void CompleteExtraChannels()
    {
        for (int row = 0; row < _denoiser.Rows; row++)
        {
            int picture = row % _slots - _first;
            ExtraChannels(picture >= 0 && picture < Pictures ? picture : 0).CopyTo(InputRow(row)[_length..]);
        }
    }

    /// <summary>Whether the whole prediction is finite, that of unused slots included.</summary>
    public bool IsOutputFinite() => !_denoiser.Output[..(Rows * _length)].ContainsAnyExceptInRange(float.MinValue, float.MaxValue);

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private Span<float> Part(int picture, int index, int count) =>
        _memory.AsSpan<float>().Slice(picture * Stride + index * _length, count * _length);

    private Span<float> InputRow(int row) => _denoiser.Input.Slice(row * _inputLength, _inputLength);

    private Span<float> OutputRow(int row) => _denoiser.Output.Slice(row * _length, _length);
}
