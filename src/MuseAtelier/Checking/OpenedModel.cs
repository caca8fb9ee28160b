using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Decoding;
using MuseAtelier.Diffusion;
using MuseAtelier.Packages;
using MuseAtelier.Prompting;
using MuseAtelier.Runtime;

namespace MuseAtelier.Checking;

/// <summary>The engine's own parts, one by one and everything resident, for comparisons. Lives on one thread, as the engine does, and holds the device for its whole life.</summary>
internal sealed class OpenedModel : IDisposable
{
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _registration;
    private readonly DeviceLease _lease;
    private Denoiser? _network;

    private OpenedModel(ModelPackage package, ExecutionDevice device, DeviceLease lease, CancellationToken cancellationToken)
    {
        _lease = lease;
        (Package, Device, _cancellationToken) = (package, device, cancellationToken);
        Sessions = new SessionPool(package, device);
        Decoder = new VaeDecoder(package, Sessions, device);
        Options = device.CreateRunOptions();
        _registration = cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, Options);
    }

    public ModelPackage Package { get; }

    public ModelSpec Model => Package.Manifest.Model;

    public ExecutionDevice Device { get; }

    public SessionPool Sessions { get; }

    public VaeDecoder Decoder { get; }

    /// <summary>The options of every run; terminated with the token that the model was opened with.</summary>
    public RunOptions Options { get; }

    public static OpenedModel Open(string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        ModelPackage package = ModelPackage.OpenFor(model, options, progress, cancellationToken);
        try
        {
            ExecutionDevice device = options.Backend.Open(package, options, cancellationToken);
            return new OpenedModel(package, device, device.Enter(cancellationToken), cancellationToken);
        }
        catch
        {
            package.Dispose();
            throw;
        }
    }

    /// <summary>The denoising network for a batch and size in latents; the last one is kept.</summary>
    public Denoiser Network(int batch, int height, int width)
    {
        var shape = new PictureShape(batch, height, width, 1);
        if (_network?.Shape == shape) return _network;
        FreeNetwork();
        return _network = new Denoiser(Package, shape, Sessions, Device);
    }

    /// <summary>Predicts the noise of one timestep.</summary>
    /// <param name="rows">One embedding for each row of the batch.</param>
    /// <param name="timeIds">[6] the sizes that the network is told, in px.</param>
    /// <param name="timestep">The timestep.</param>
    /// <param name="height">Rows of a latent.</param>
    /// <param name="width">Columns of a latent.</param>
    /// <param name="give">Writes the network's input, [batch, 4, h, w] fp32.</param>
    /// <returns>[batch, 4, h, w] fp32; good until the next prediction.</returns>
    public ReadOnlySpan<float> Predict(ReadOnlySpan<PromptEmbeds> rows, ReadOnlySpan<float> timeIds, float timestep, int height, int width, Action<Span<float>> give)
    {
        Denoiser network = Network(rows.Length, height, width);
        network.Prepare(rows, timeIds, [timestep], Options, _cancellationToken);
        give(network.Input);
        network.Predict(0, Options, _cancellationToken);
        network.Await();
        return network.Output;
    }

    /// <summary>Gives back the denoising network's memory.</summary>
    public void FreeNetwork()
    {
        _network?.Dispose();
        _network = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        Options.Dispose();
        FreeNetwork();
        Decoder.Dispose();
        Sessions.Dispose();
        _lease.Dispose();
        Device.Dispose();
        Package.Dispose();
    }
}
