using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>Encodes pictures to latents. It is rarely needed, so it stays loaded only during a call.</summary>
internal sealed class VaeEncoder(ModelPackage package, SessionPool sessions, ExecutionDevice device)
{
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
        ComponentSpec component = package.Manifest.Components.FirstOrDefault(component => component.Name == ComponentNames.VaeEncoder)
            ?? throw new ModelPartMissingException(package.Manifest.Checkpoint.Name, ComponentNames.VaeEncoder, "VAE encoder");
        using (var runner = new ComponentRunner(component, new PictureShape(1, height, width, 0), sessions, device))
        {
            runner.Write("image", image);
            runner.Run(options, cancellationToken);
            runner.Read("mean", mean);
        }

        sessions.Release(component);
    }
}
