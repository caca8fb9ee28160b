using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>Encodes pictures to latents. It is rarely needed, so it stays loaded only during a call.</summary>
internal sealed class VaeEncoder(ModelPackage package, SessionPool sessions, ExecutionDevice device)
{
    private const int Channels = 3;

    /// <summary>Encodes one picture.</summary>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="mean">[4, h, w] fp32, before the latent scale; overwritten.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    public void Encode(
        ReadOnlySpan<float> image, int height, int width, Span<float> mean, RunOptions options, CancellationToken cancellationToken)
    {
        Encode(image, height, width, null, mean, default, options, cancellationToken);
    }

    /// <summary>The encoder of a package.</summary>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    public static ComponentSpec Require(ModelPackage package) =>
        package.Manifest.Components.FirstOrDefault(component => component.Name == ComponentNames.VaeEncoder)
            ?? throw new ModelPartMissingException(package.Manifest.Checkpoint.Name, ComponentNames.VaeEncoder, "VAE encoder");

    /// <summary>Encodes one picture of bytes.</summary>
    /// <param name="pixels">[8h, 8w, 3] interleaved sRGB, 8 bits a channel; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiles">The tiles of the plan; null means in one piece.</param>
    /// <param name="mean">[4, h, w] fp32, before the latent scale; overwritten.</param>
    /// <param name="logVariance">[4, h, w] fp32, before the latent scale; overwritten.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    public void Encode(
        ReadOnlySpan<byte> pixels, int height, int width, TilePlan? tiles, Span<float> mean, Span<float> logVariance, RunOptions options,
        CancellationToken cancellationToken)
    {
        int area = pixels.Length / Channels;
        using NativeBuffer image = device.AllocateHost((long)pixels.Length * sizeof(float));
        Span<float> planes = image.AsSpan<float>();
        for (int i = 0; i < area; i++)
            for (int channel = 0; channel < Channels; channel++)
                planes[channel * area + i] = pixels[i * Channels + channel] / 127.5f - 1;
        Encode(planes, height, width, tiles, mean, logVariance, options, cancellationToken);
    }

    /// <summary>Encodes one picture.</summary>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1; borrowed.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <param name="tiles">The tiles of the plan; null means in one piece.</param>
    /// <param name="mean">[4, h, w] fp32, before the latent scale; overwritten.</param>
    /// <param name="logVariance">[4, h, w] fp32, before the latent scale; overwritten. Empty if it is not wanted.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <exception cref="ModelPartMissingException">The checkpoint has no encoder.</exception>
    public void Encode(
        ReadOnlySpan<float> image, int height, int width, TilePlan? tiles, Span<float> mean, Span<float> logVariance, RunOptions options,
        CancellationToken cancellationToken)
    {
        ComponentSpec component = Require(package);
        using (var runner = new ComponentRunner(component, new PictureShape(1, height, width, 0), sessions, device))
        {
            runner.Write("image", image);
            runner.Run(options, cancellationToken);
            runner.Read("mean", mean);
            if (!logVariance.IsEmpty) runner.Read("log_variance", logVariance);
        }

        sessions.Release(component);
    }
}
