using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Conditioning;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Diffusion;

/// <summary>
/// The UNet for one picture size and batch, with what it needs once per pass: keys and values of the prompt, and the time embeddings
/// of all steps. Bindings are made once and serve every pass of that size.
/// </summary>
internal sealed class Denoiser : IDisposable
{
    private readonly Stack<IDisposable> _owned = new();
    private readonly ModelPackage _package;
    private readonly SessionPool _sessions;
    private readonly ExecutionDevice _device;
    private readonly ComponentRunner _context;
    private readonly ComponentRunner _unet;
    private readonly StepCapture _step;
    private readonly NativeBuffer _shifts;
    private readonly NativeBuffer _hostInput;
    private readonly NativeBuffer _hostOutput;
    private ComponentRunner? _time;
    private int _steps;

    public Denoiser(ModelPackage package, PictureShape shape, SessionPool sessions, ExecutionDevice device)
    {
        (_package, _sessions, _device) = (package, sessions, device);
        Shape = shape with { Steps = 1 };
        PackageManifest manifest = package.Manifest;
        ComponentSpec unet = manifest.Component(ComponentNames.UNet), context = manifest.Component(ComponentNames.CrossAttention);
        try
        {
            _context = Own(new ComponentRunner(context, Shape, sessions, device));

            // One step's shifts lie one behind the other in the order of the UNet's inputs, so that a step's worth is one copy.
            List<TensorSpec> shifts = [.. unet.Inputs.Where(input => input.Name.StartsWith("shift.", StringComparison.Ordinal))];
            _shifts = Own(device.Allocate(shifts.Sum(shift => shift.Bytes(Shape))));
            var placed = context.Outputs.ToDictionary(output => output.Name, output => _context.Address(output.Name));
            nint next = _shifts.Address;
            foreach (TensorSpec shift in shifts)
            {
                placed[shift.Name] = next;
                next += (nint)shift.Bytes(Shape);
            }

            _unet = Own(new ComponentRunner(unet, Shape, sessions, device, placed));
            _step = Own(new StepCapture(_unet, sessions, device));
            _hostInput = Own(device.AllocateHost(_unet.Size("latents")));
            _hostOutput = Own(device.AllocateHost(_unet.Size("noise")));
        }
        catch
        {
            // The device's memory may have run out: what is here already must not stay behind.
            Dispose();
            throw;
        }
    }

    public PictureShape Shape { get; }

    /// <summary>What the UNet computes in.</summary>
    public Precision Precision => _package.Manifest.PartPrecisions.UNet;

    /// <summary>
    /// [batch, 4, h, w] fp32, scaled by 1 / sqrt(sigma^2 + 1); host memory that <see cref="Predict"/> reads until <see cref="Await"/> has
    /// returned.
    /// </summary>
    public Span<float> Input => _hostInput.AsSpan<float>();

    /// <summary>
    /// [batch, 4, h, w] fp32 predicted noise; host memory that <see cref="Predict"/> writes until <see cref="Await"/> has returned.
    /// </summary>
    public Span<float> Output => _hostOutput.AsSpan<float>();

    /// <summary>Computes what a pass needs once.</summary>
    /// <param name="rows">One embedding for each row of the batch, the negative prompt first.</param>
    /// <param name="timeIds">[6]: original height and width, crop top and left, target height and width, in px.</param>
    /// <param name="timesteps">The timestep of every step.</param>
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

        _steps = timesteps.Length;
        PictureShape shape = Shape with { Steps = _steps };
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

    /// <summary>
    /// Predicts the noise of one step; allocates nothing managed. Where the device works by itself, returns before it is done:
    /// <see cref="Await"/>.
    /// </summary>
    public void Predict(int step, RunOptions options, CancellationToken cancellationToken)
    {
        _device.Copy(_time!.Address("embeddings") + (nint)(step * _shifts.Bytes), _shifts.Address, _shifts.Bytes);
        _unet.Write("latents", _hostInput);
        _step.Run(options, isLastRound: step == _steps - 1, cancellationToken);
        _unet.Read("noise", _hostOutput);
    }

    /// <summary>Waits until <see cref="Output"/> is there.</summary>
    public void Await() => _device.Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        _time?.Dispose();
        _time = null;
        // A captured step goes before the memory that it works on.
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
