using System.Diagnostics;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Imaging;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>Prepares and encodes what a series is painted from, once for all of its batches.</summary>
/// <param name="package">The package that paints; borrowed.</param>
/// <param name="encoder">The encoder; borrowed.</param>
/// <param name="device">The device that runs; borrowed.</param>
internal sealed class SourceEncoder(ModelPackage package, VaeEncoder encoder, ExecutionDevice device)
{
    private const int Channels = 3;

    // A mask hides a pixel from an inpainting model from 0.5 on.
    private const byte LeastMasked = 128;

    private bool IsInpaintingModel => package.Manifest.Model.IsInpainting;

    /// <summary>Encodes the source of a batch's series, unless that was done for an earlier batch. Adds notices to the batch.</summary>
    /// <param name="batch">The batch, which receives the encoded source.</param>
    /// <param name="run">The options of the runs.</param>
    /// <returns>Whether the encoder has run.</returns>
    public bool Encode(PictureBatch batch, RunScope run)
    {
        if (batch.Request.Source is null && batch.Series.Start.IsEmpty && !IsInpaintingModel) return false;
        long begin = Stopwatch.GetTimestamp();
        bool isNew = batch.Series.Source is null;
        EncodedSource encoded = batch.Series.Source ?? Encode(batch, batch.Request.Source, run);
        batch.Series.Source = encoded;
        batch.Source = encoded;
        batch.Notices.AddRange(encoded.Prepared?.Notices ?? []);
        batch.EncodingTime = Stopwatch.GetElapsedTime(begin);
        return isNew && (batch.Request.Source is not null || IsInpaintingModel);
    }

    private EncodedSource Encode(PictureBatch batch, PictureSource? source, RunScope run)
    {
        PictureRequest request = batch.Request;
        PreparedSource? prepared = source is null
            ? null
            : SourcePreparation.Prepare(source, request.Width, request.Height, request.Dialect);
        bool hasMask = prepared is { LatentMask.IsEmpty: false };
        // diffusers does not encode the whole source where an inpainting model begins with noise (prepare_latents, return_image_latents).
        bool readsPicture = prepared is not null && !(IsInpaintingModel && EncodedSource.BeginsWithNoise(request, hasMask));
        LatentDistribution? picture = readsPicture ? EncodeSource(batch, prepared!, run) : null;
        if (!batch.Series.Start.IsEmpty) picture = LatentDistribution.Of(batch.Series.Start);
        LatentDistribution? masked = IsInpaintingModel ? EncodeMasked(batch, prepared, run) : null;
        return new EncodedSource(prepared, picture, masked);
    }

    private LatentDistribution EncodeSource(PictureBatch batch, PreparedSource prepared, RunScope run)
    {
        float[] mean = NewLatents(batch), logVariance = NewLatents(batch);
        encoder.Encode(
            prepared.Pixels.Span, batch.LatentHeight, batch.LatentWidth, batch.Plan.Encoding, mean, logVariance, run.Options, run.Token);
        return DistributionOf(batch, mean, logVariance);
    }

    // An inpainting model sees the source with grey in place of the masked part, image * (1 - mask) between -1 and 1 (diffusers,
    // pipeline_stable_diffusion_xl_inpaint.py, masked_image). Without a mask all of it is grey, and the mask is 1 everywhere, as in
    // AUTOMATIC1111 (modules/processing.py, txt2img_image_conditioning and inpainting_image_conditioning).
    private LatentDistribution EncodeMasked(PictureBatch batch, PreparedSource? prepared, RunScope run)
    {
        int area = batch.Request.Width * batch.Request.Height;
        float[] mean = NewLatents(batch), logVariance = NewLatents(batch);
        using NativeBuffer image = device.AllocateHost((long)Channels * area * sizeof(float));
        Span<float> planes = image.AsSpan<float>();
        planes.Clear();
        bool hasMask = prepared is { LatentMask.IsEmpty: false };
        if (hasMask) WriteUnmasked(prepared!, planes);
        encoder.Encode(planes, batch.LatentHeight, batch.LatentWidth, batch.Plan.Encoding, mean, logVariance, run.Options, run.Token);
        LatentDistribution distribution = DistributionOf(batch, mean, logVariance);
        // Only diffusers draws, and it has no picture without a mask.
        return hasMask ? distribution : distribution.Mean;
    }

    private static void WriteUnmasked(PreparedSource prepared, Span<float> planes)
    {
        ReadOnlySpan<byte> pixels = prepared.Pixels.Span, mask = prepared.Mask.Span;
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] >= LeastMasked) continue;
            for (int channel = 0; channel < Channels; channel++)
                planes[channel * mask.Length + i] = pixels[i * Channels + channel] / 127.5f - 1;
        }
    }

    // diffusers draws the latents from the encoder's distribution with the picture's generator. Other programs draw from a generator that
    // the seed does not start, or take the mean; so the mean it is.
    private LatentDistribution DistributionOf(PictureBatch batch, float[] mean, float[] logVariance)
    {
        var distribution = LatentDistribution.OfEncoder(mean, logVariance, package.Manifest.Model.LatentScale, batch.LatentFormat);
        return batch.Request.Dialect == SamplingDialect.Diffusers ? distribution : distribution.Mean;
    }

    private float[] NewLatents(PictureBatch batch) =>
        new float[package.Manifest.Model.LatentChannels * batch.LatentHeight * batch.LatentWidth];
}
