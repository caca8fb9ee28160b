using System.Numerics.Tensors;
using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>
/// The existing picture that a batch is painted from: writes the latents at which denoising begins, and keeps the part outside of the mask.
/// Evaluations allocate nothing managed.
/// </summary>
internal sealed class BatchSource : IDisposable
{
    private readonly DenoisingInputs _inputs;
    private readonly SamplingRecipe _recipe;
    private readonly LatentBatch _batch;
    private readonly NativeBuffer? _pictures;
    private readonly NativeBuffer? _noise;
    private readonly NativeBuffer? _held;
    private readonly int _length;

    /// <summary>Allocates the memory that the inputs need.</summary>
    /// <param name="inputs">The start, and what stays fixed during all evaluations.</param>
    /// <param name="recipe">The schedule.</param>
    /// <param name="batch">The numbers of the pictures; borrowed.</param>
    /// <param name="allocate">Allocates host memory of a number of bytes.</param>
    /// <exception cref="ArgumentException">The existing picture or the extra channels have another size.</exception>
    public BatchSource(DenoisingInputs inputs, SamplingRecipe recipe, LatentBatch batch, Func<long, NativeBuffer> allocate)
    {
        _inputs = inputs;
        _recipe = recipe;
        _batch = batch;
        _length = batch.Latents(0).Length;
        if (inputs.Start.Picture is { } picture && picture.Length != _length)
            throw new ArgumentException($"The existing picture has {picture.Length} latents, not {_length}.", nameof(inputs));
        batch.RequireExtraChannels(inputs.ExtraChannels.Length + (inputs.MaskedPicture?.Length ?? 0));
        try
        {
            long bytes = (long)batch.Pictures * _length * sizeof(float);
            if (inputs.Start.Picture is not null) _pictures = allocate(bytes);
            if (Blending is MaskBlending.Latents or MaskBlending.InputAndDenoised) _noise = allocate(bytes);
            if (Blending == MaskBlending.InputAndDenoised) _held = allocate(bytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private MaskBlending Blending => _inputs.Mask?.Blending ?? MaskBlending.None;

    /// <summary>
    /// Draws the initial noise, and writes the latents at which denoising begins and the extra channels. diffusers draws the latents of the
    /// existing picture first, then the initial noise, then those of the masked picture, all from one generator
    /// (pipeline_stable_diffusion_xl_inpaint.py, prepare_latents and prepare_mask_latents).
    /// </summary>
    /// <param name="noise">The noise of each picture.</param>
    /// <param name="hashes">Receive the digests of the start.</param>
    public void Begin(BatchNoise noise, StepHashes[] hashes)
    {
        for (int i = 0; i < _batch.Pictures; i++) DrawPicture(noise, i);
        for (int i = 0; i < _batch.Pictures; i++)
        {
            Span<float> drawn = _batch.Noise(i);
            noise.DrawBeforeSteps(i, drawn);
            if (_pictures is not null) _inputs.Mask?.Fill(Picture(i), drawn);
            ReadOnlySpan<float> picture = _pictures is null ? default : Picture(i);
            _inputs.Start.Write(drawn, _recipe.InitialNoiseScale, _recipe.NoiseScaleOverPicture, picture, _batch.Latents(i));
            if (_noise is not null) drawn.CopyTo(Of(_noise, i));
            hashes[i].Take(0, drawn, _batch.Latents(i));
        }

        for (int i = 0; i < _batch.Pictures; i++) WriteExtraChannels(noise, i);
        _batch.CompleteExtraChannels();
    }

    /// <summary>Called before an evaluation: the UNet may have to see the existing picture outside of the mask.</summary>
    public void BeginEvaluation(in Evaluation evaluation)
    {
        if (_held is null) return;
        for (int i = 0; i < _batch.Pictures; i++)
        {
            _batch.Latents(i).CopyTo(Of(_held, i));
            _inputs.Mask!.Blend(_batch.Latents(i), Picture(i), Of(_noise!, i), evaluation.Sigma);
        }
    }

    /// <summary>Called when an evaluation is resolved to clean latents: these may be replaced outside of the mask.</summary>
    public void EndPrediction(in Evaluation evaluation)
    {
        if (Blending is not (MaskBlending.Denoised or MaskBlending.InputAndDenoised)) return;
        for (int i = 0; i < _batch.Pictures; i++)
        {
            if (_held is not null) Of(_held, i).CopyTo(_batch.Latents(i));
            _inputs.Mask!.Blend(_batch.Denoised(i), Picture(i));
            // The noise that the sampler reads is (x - D) / sigma.
            TensorPrimitives.Subtract(_batch.Latents(i), _batch.Denoised(i), _batch.Output(i));
            TensorPrimitives.Divide(_batch.Output(i), evaluation.Sigma, _batch.Output(i));
        }
    }

    /// <summary>Called after the sampler has advanced the latents.</summary>
    public void EndEvaluation(in Evaluation evaluation)
    {
        bool isLast = evaluation.Index == _recipe.Evaluations.Length - 1;
        bool blends = Blending == MaskBlending.Latents || (Blending == MaskBlending.Denoised && isLast);
        if (!blends) return;
        for (int i = 0; i < _batch.Pictures; i++)
        {
            if (isLast) _inputs.Mask!.Blend(_batch.Latents(i), Picture(i));
            else _inputs.Mask!.Blend(_batch.Latents(i), Picture(i), Of(_noise!, i), _recipe.Evaluations[evaluation.Index + 1].Sigma);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pictures?.Dispose();
        _noise?.Dispose();
        _held?.Dispose();
    }

    private void DrawPicture(BatchNoise noise, int picture)
    {
        if (_inputs.Start.Picture is not { } existing) return;
        if (existing.IsDrawn) noise.DrawBeforeSteps(picture, _batch.Noise(picture));
        existing.Write(_batch.Noise(picture), Picture(picture));
    }

    private void WriteExtraChannels(BatchNoise noise, int picture)
    {
        if (_inputs.DrawsForMaskedPicture) noise.DrawBeforeSteps(picture, _batch.Noise(picture));
        Span<float> channels = _batch.ExtraChannels(picture);
        _inputs.ExtraChannels.Span.CopyTo(channels);
        _inputs.MaskedPicture?.Write(_batch.Noise(picture), channels[_inputs.ExtraChannels.Length..]);
    }

    private Span<float> Picture(int picture) => Of(_pictures!, picture);

    private Span<float> Of(NativeBuffer buffer, int picture) => buffer.AsSpan<float>().Slice(picture * _length, _length);
}
