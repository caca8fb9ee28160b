using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Conditioning;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet for one picture size and batch size, with what it needs once for each batch: keys and values of the prompt, and the time
/// embeddings of all evaluations. Bindings are made once and serve every batch of that size.
/// </summary>
internal sealed class Denoiser : IDenoiser, IDisposable
{
    private readonly Stack<IDisposable> _owned = new();
    private readonly ModelPackage _package;
    private readonly SessionPool _sessions;
    private readonly ExecutionDevice _device;
    private readonly ComponentRunner _context;
    private readonly ComponentRunner _unet;
    private readonly StepCapture _step;
    private readonly NativeBuffer _embeddings;
    private readonly NativeBuffer _hostInput;
    private readonly NativeBuffer _hostOutput;
    private ComponentRunner? _time;
    private int _evaluations;

    public Denoiser(ModelPackage package, PictureShape shape, SessionPool sessions, ExecutionDevice device)
    {
        _package = package;
        _sessions = sessions;
        _device = device;
        Shape = shape with { Steps = 1 };
        PackageManifest manifest = package.Manifest;
        ComponentSpec unet = manifest.Component(ComponentNames.UNet);
        ComponentSpec context = manifest.Component(ComponentNames.CrossAttention);
        try
        {
            _context = Own(new ComponentRunner(context, Shape, sessions, device));

            // The embeddings of one evaluation lie one after the other in the order of the UNet's inputs, so that one copy moves them.
            List<TensorSpec> embeddings = [.. unet.Inputs.Where(input => ConditioningNames.IsTimeEmbedding(input.Name))];
            _embeddings = Own(device.Allocate(embeddings.Sum(embedding => embedding.Bytes(Shape))));
            var placed = context.Outputs.ToDictionary(output => output.Name, output => _context.Address(output.Name));
            nint next = _embeddings.Address;
            foreach (TensorSpec embedding in embeddings)
            {
                placed[embedding.Name] = next;
                next += (nint)embedding.Bytes(Shape);
            }

            _unet = Own(new ComponentRunner(unet, Shape, sessions, device, placed));
            _step = Own(new StepCapture(_unet, sessions, device));
            _hostInput = Own(device.AllocateHost(_unet.Size("latents")));
            _hostOutput = Own(device.AllocateHost(_unet.Size("noise")));
        }
        catch
        {
            // The device's memory may have run out. What was allocated before must be freed.
            Dispose();
            throw;
        }
    }

    public PictureShape Shape { get; }

    /// <inheritdoc/>
    public int Rows => Shape.Rows;

    /// <inheritdoc/>
    public Precision Precision => _package.Manifest.PartPrecisions.UNet.Arithmetic;

    /// <inheritdoc/>
    public Span<float> Input => _hostInput.AsSpan<float>();

    /// <inheritdoc/>
    public Span<float> Output => _hostOutput.AsSpan<float>();

    /// <summary>Computes what a batch needs once.</summary>
    /// <param name="rows">One embedding for each row of the batch, the negative prompt first.</param>
    /// <param name="timeIds">[6]: original height and width, crop top and left, target height and width, in px.</param>
    /// <param name="timesteps">The timestep of every evaluation.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between stages.</param>
    public void Prepare(
        ReadOnlySpan<PromptEmbeds> rows,
        ReadOnlySpan<float> timeIds,
        ReadOnlySpan<float> timesteps,
        RunOptions options,
        CancellationToken cancellationToken)
    {
        Write(_context, "context", rows, static row => row.Hidden);
        _context.Run(options, cancellationToken);

        _evaluations = timesteps.Length;
        PictureShape shape = Shape with { Steps = _evaluations };
        _time?.Dispose();
        _time = null;
        _time = new ComponentRunner(_package.Manifest.Component(ComponentNames.TimeEmbedding), shape, _sessions, _device);
        Write(_time, "pooled", rows, static row => row.Pooled);
        float[] ids = new float[rows.Length * timeIds.Length];
        for (int i = 0; i < rows.Length; i++) timeIds.CopyTo(ids.AsSpan(i * timeIds.Length));
        _time.Write<float>("time_ids", ids);
        _time.Write("timesteps", timesteps);
        _time.Run(options, cancellationToken);
        _device.Synchronize();
    }

    /// <inheritdoc/>
    public void Start(int evaluation, RunOptions options, CancellationToken cancellationToken)
    {
        _device.Copy(_time!.Address("embeddings") + (nint)(evaluation * _embeddings.Bytes), _embeddings.Address, _embeddings.Bytes);
        _unet.Write("latents", _hostInput);
        _step.Run(options, isLastRound: evaluation == _evaluations - 1, cancellationToken);
        _unet.Read("noise", _hostOutput);
    }

    /// <inheritdoc/>
    public void Wait() => _device.Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        _time?.Dispose();
        _time = null;
        // A captured run must be disposed before the memory that it refers to.
        while (_owned.TryPop(out IDisposable? owned)) owned.Dispose();
    }

    private T Own<T>(T part) where T : IDisposable
    {
        _owned.Push(part);
        return part;
    }

    // Every row must have the size of the first, because the component's tensors have one shape for all rows.
    private static void Write(
        ComponentRunner component, string input, ReadOnlySpan<PromptEmbeds> rows, Func<PromptEmbeds, float[]> part)
    {
        int width = part(rows[0]).Length;
        float[] values = new float[rows.Length * width];
        for (int i = 0; i < rows.Length; i++) part(rows[i]).CopyTo(values.AsSpan(i * width, width));
        component.Write<float>(input, values);
    }
}
