using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>
/// The engine's own parts, for comparisons of one part at a time; all weights are resident. Like the engine, it must stay on one thread.
/// It holds the device for its whole life.
/// </summary>
internal sealed class OpenedModel : IDisposable
{
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _registration;
    private readonly DeviceLease _lease;
    private Denoiser? _denoiser;

    private OpenedModel(ModelPackage package, ExecutionDevice device, DeviceLease lease, CancellationToken cancellationToken)
    {
        _lease = lease;
        _cancellationToken = cancellationToken;
        Package = package;
        Device = device;
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

    /// <summary>The options of every run. The token that the model was opened with terminates the runs.</summary>
    public RunOptions Options { get; }

    public static OpenedModel Open(
        string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        ModelPackage package = options.OpenPackage(model, progress, cancellationToken);
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

    /// <summary>Gives the denoiser for a batch and a size in latents. Keeps the last one.</summary>
    public Denoiser DenoiserFor(int batch, int height, int width)
    {
        var shape = new PictureShape(batch, height, width, 1);
        if (_denoiser?.Shape == shape) return _denoiser;
        FreeDenoiser();
        return _denoiser = new Denoiser(Package, shape, Sessions, Device);
    }

    /// <summary>Predicts the noise of one timestep.</summary>
    /// <param name="rows">One embedding for each row of the batch.</param>
    /// <param name="timeIds">[6] the size conditioning in px.</param>
    /// <param name="timestep">The timestep.</param>
    /// <param name="height">Rows of a latent.</param>
    /// <param name="width">Columns of a latent.</param>
    /// <param name="write">Writes the denoiser's input, [batch, 4, h, w] fp32.</param>
    /// <returns>[batch, 4, h, w] fp32; valid until the next prediction.</returns>
    public ReadOnlySpan<float> Predict(
        ReadOnlySpan<PromptEmbeds> rows, ReadOnlySpan<float> timeIds, float timestep, int height, int width, Action<Span<float>> write)
    {
        Denoiser denoiser = DenoiserFor(rows.Length, height, width);
        denoiser.Prepare(rows, timeIds, [timestep], Options, _cancellationToken);
        write(denoiser.Input);
        denoiser.Start(0, Options, _cancellationToken);
        denoiser.Wait();
        return denoiser.Output;
    }

    /// <summary>Frees the denoiser's memory.</summary>
    public void FreeDenoiser()
    {
        _denoiser?.Dispose();
        _denoiser = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        Options.Dispose();
        FreeDenoiser();
        Decoder.Dispose();
        Sessions.Dispose();
        _lease.Dispose();
        Device.Dispose();
        Package.Dispose();
    }
}
