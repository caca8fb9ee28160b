using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>The UNet with its bindings for one number of rows, and its captured step.</summary>
internal sealed class BoundUNet : IDisposable
{
    private readonly ExecutionDevice _device;
    private readonly ComponentRunner _runner;
    private readonly StepCapture _step;
    private readonly nint _latents;
    private readonly nint _noise;

    /// <summary>Creates the bindings.</summary>
    /// <param name="unet">The component.</param>
    /// <param name="shape">The rows and the size of the latents.</param>
    /// <param name="placed">Device addresses of the keys, values and time embeddings; borrowed.</param>
    /// <param name="sessions">The sessions and weights; borrowed.</param>
    /// <param name="device">The device; borrowed.</param>
    /// <param name="other">A UNet of more rows, with which this one shares the memory between stages; borrowed.</param>
    public BoundUNet(
        ComponentSpec unet, PictureShape shape, IReadOnlyDictionary<string, nint> placed, SessionPool sessions, ExecutionDevice device,
        BoundUNet? other = null)
    {
        _device = device;
        Rows = shape.Rows;
        EmbeddingBytes = unet.Inputs.Where(input => ConditioningNames.IsTimeEmbedding(input.Name)).Sum(input => input.Bytes(shape));
        _runner = new ComponentRunner(unet, shape, sessions, device, placed, other?._runner);
        _step = new StepCapture(_runner, sessions, device);
        _latents = _runner.Address("latents");
        _noise = _runner.Address("noise");
        InputBytes = _runner.Size("latents");
        OutputBytes = _runner.Size("noise");
    }

    /// <summary>Rows of an evaluation.</summary>
    public int Rows { get; }

    /// <summary>Bytes of the latents.</summary>
    public long InputBytes { get; }

    /// <summary>Bytes of the prediction.</summary>
    public long OutputBytes { get; }

    /// <summary>Bytes of the time embeddings of one evaluation.</summary>
    public long EmbeddingBytes { get; }

    /// <summary>Starts an evaluation; allocates nothing managed, except where the step is captured.</summary>
    /// <param name="input">Host memory that begins with the latents; borrowed.</param>
    /// <param name="output">Host memory that begins with room for the prediction; borrowed.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="isLastRound">Whether no evaluation of the batch follows.</param>
    /// <param name="cancellationToken">Stops between stages.</param>
    public void Start(
        NativeBuffer input, NativeBuffer output, RunOptions options, bool isLastRound, CancellationToken cancellationToken)
    {
        _device.Upload(input.Address, _latents, InputBytes);
        _step.Run(options, isLastRound, cancellationToken);
        _device.Download(_noise, output.Address, OutputBytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A captured run must be disposed before the memory that it refers to.
        _step.Dispose();
        _runner.Dispose();
    }
}
