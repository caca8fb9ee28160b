using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet for one picture size and batch size, with what it needs once for each batch: keys and values of the prompts, and the time
/// embeddings of all evaluations. Bindings are made once and serve every batch of that size. Evaluations outside of the guidance interval
/// have bindings of their own, for fewer rows, which share sessions, weights, keys, values and memory with the others.
/// </summary>
internal sealed class Denoiser : IDenoiser, IDisposable
{
    private readonly Stack<IDisposable> _owned = new();
    private readonly List<ComponentRunner> _times = [];
    private readonly ModelPackage _package;
    private readonly SessionPool _sessions;
    private readonly ExecutionDevice _device;
    private readonly ComponentRunner _context;
    private readonly PromptSetStore _sets;
    private readonly BoundUNet _unet;
    private readonly BoundUNet? _unguided;
    private readonly NativeBuffer _embeddings;
    private readonly NativeBuffer _hostInput;
    private readonly NativeBuffer _hostOutput;
    private PreparedEvaluation[] _evaluations = [];

    /// <summary>Creates the bindings.</summary>
    /// <param name="package">The package; borrowed.</param>
    /// <param name="shape">
    /// The rows of a guided evaluation, or of every evaluation if none is guided, the size of the latents, and the tokens.
    /// </param>
    /// <param name="sessions">The sessions and weights; borrowed.</param>
    /// <param name="device">The device; borrowed.</param>
    /// <param name="unguidedRows">
    /// Rows of an evaluation outside of the guidance interval: the last ones of the batch. 0 if there is no such evaluation.
    /// </param>
    public Denoiser(ModelPackage package, PictureShape shape, SessionPool sessions, ExecutionDevice device, int unguidedRows = 0)
    {
        _package = package;
        _sessions = sessions;
        _device = device;
        Shape = shape with { Steps = 1 };
        UnguidedRows = unguidedRows;
        PackageManifest manifest = package.Manifest;
        ComponentSpec unet = manifest.Component(ComponentNames.UNet);
        try
        {
            _context = Own(new ComponentRunner(manifest.Component(ComponentNames.CrossAttention), Shape, sessions, device));
            _sets = Own(new PromptSetStore(_context, device));

            // The embeddings of one evaluation lie one after the other in the order of the UNet's inputs, so that one copy moves them.
            IEnumerable<TensorSpec> embeddings = unet.Inputs.Where(input => ConditioningNames.IsTimeEmbedding(input.Name));
            _embeddings = Own(device.Allocate(embeddings.Sum(embedding => embedding.Bytes(Shape))));
            _unet = Own(new BoundUNet(unet, Shape, Places(unet, Shape), sessions, device));
            if (unguidedRows > 0)
            {
                PictureShape alone = Shape with { Rows = unguidedRows };
                _unguided = Own(new BoundUNet(unet, alone, Places(unet, alone), sessions, device, _unet));
            }

            _hostInput = Own(device.AllocateHost(_unet.InputBytes));
            _hostOutput = Own(device.AllocateHost(_unet.OutputBytes));
        }
        catch
        {
            // The device's memory may have run out. What was allocated before must be freed.
            Dispose();
            throw;
        }
    }

    /// <summary>The rows of a guided evaluation, the size of the latents, and the tokens.</summary>
    public PictureShape Shape { get; }

    /// <summary>Rows of an evaluation outside of the guidance interval; 0 if there is no such evaluation.</summary>
    public int UnguidedRows { get; }

    /// <inheritdoc/>
    public int Rows => Shape.Rows;

    /// <inheritdoc/>
    public Precision Precision => _package.Manifest.PartPrecisions.UNet.Arithmetic;

    /// <inheritdoc/>
    public Span<float> Input => _hostInput.AsSpan<float>();

    /// <inheritdoc/>
    public Span<float> Output => _hostOutput.AsSpan<float>();

    /// <summary>Computes what a batch of one set of prompts needs once; every evaluation has all rows.</summary>
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
        CancellationToken cancellationToken) =>
        Prepare(BatchConditions.Of(rows, timeIds, timesteps), options, cancellationToken);

    /// <summary>Computes what a batch needs once: keys and values of each set of prompts, and the time embeddings.</summary>
    /// <param name="conditions">What the evaluations are conditioned on.</param>
    /// <param name="options">The picture's run options.</param>
    /// <param name="cancellationToken">Stops between stages.</param>
    public void Prepare(BatchConditions conditions, RunOptions options, CancellationToken cancellationToken)
    {
        _sets.Resize(conditions.Sets.Count);
        // The set of the first steps comes last, so that it is in its place when they begin.
        for (int set = conditions.Sets.Count - 1; set >= 0; set--)
        {
            Write(_context, "context", conditions.Sets[set], static row => row.Hidden);
            _context.Run(options, cancellationToken, isLastRound: set == 0);
            _sets.Keep(set);
        }

        ReleaseTimes();
        _evaluations = new PreparedEvaluation[conditions.Evaluations.Count];
        // The embeddings depend on the pooled outputs of a set and on the rows.
        var groups = conditions.Evaluations.Index().Skip(conditions.FirstEvaluation)
            .GroupBy(entry => (entry.Item.Set, entry.Item.HasAllRows)).ToList();
        foreach (var group in groups)
        {
            BoundUNet unet = group.Key.HasAllRows ? _unet : _unguided!;
            PromptEmbeds[] rows = conditions.Sets[group.Key.Set][^unet.Rows..];
            int[] indices = [.. group.Select(entry => entry.Index)];
            float[] timesteps = [.. group.Select(entry => entry.Item.Timestep)];
            ComponentRunner time = NewTime(unet.Rows, timesteps.Length);
            Write(time, "pooled", rows, static row => row.Pooled);
            time.Write<float>("time_ids", [.. rows.SelectMany(_ => conditions.TimeIds)]);
            time.Write("timesteps", timesteps);
            time.Run(options, cancellationToken, isLastRound: group == groups[^1]);
            nint first = time.Address("embeddings");
            for (int i = 0; i < indices.Length; i++)
                _evaluations[indices[i]] = new PreparedEvaluation(unet, group.Key.Set, first + (nint)(i * unet.EmbeddingBytes));
        }

        _device.Synchronize();
    }

    /// <inheritdoc/>
    public void Start(int evaluation, RunOptions options, CancellationToken cancellationToken)
    {
        (BoundUNet unet, int set, nint embeddings) = _evaluations[evaluation];
        _sets.Activate(set);
        _device.Copy(embeddings, _embeddings.Address, unet.EmbeddingBytes);
        unet.Start(_hostInput, _hostOutput, options, isLastRound: evaluation == _evaluations.Length - 1, cancellationToken);
    }

    /// <inheritdoc/>
    public void Wait() => _device.Synchronize();

    /// <summary>Frees the memory that more than a number of sets of prompts took. The next batch must be prepared anew.</summary>
    public void LimitSets(int sets) => _sets.Limit(sets);

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseTimes();
        while (_owned.TryPop(out IDisposable? owned)) owned.Dispose();
    }

    private T Own<T>(T part) where T : IDisposable
    {
        _owned.Push(part);
        return part;
    }

    private void ReleaseTimes()
    {
        foreach (ComponentRunner time in _times) time.Dispose();
        _times.Clear();
    }

    private ComponentRunner NewTime(int rows, int steps)
    {
        ComponentSpec component = _package.Manifest.Component(ComponentNames.TimeEmbedding);
        var time = new ComponentRunner(component, Shape with { Rows = rows, Steps = steps }, _sessions, _device);
        _times.Add(time);
        return time;
    }

    // The places of the UNet's conditioning for a shape: of the keys and values, whose first dimension is the rows, the last rows.
    private Dictionary<string, nint> Places(ComponentSpec unet, PictureShape shape)
    {
        Dictionary<string, nint> places = [];
        foreach (TensorSpec output in _package.Manifest.Component(ComponentNames.CrossAttention).Outputs)
            places[output.Name] = _context.Address(output.Name) + (nint)(output.Bytes(Shape) - output.Bytes(shape));
        nint next = _embeddings.Address;
        foreach (TensorSpec embedding in unet.Inputs.Where(input => ConditioningNames.IsTimeEmbedding(input.Name)))
        {
            places[embedding.Name] = next;
            next += (nint)embedding.Bytes(shape);
        }

        return places;
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

    // The bindings of an evaluation, its set of prompts, and the device address of its time embeddings.
    private readonly record struct PreparedEvaluation(BoundUNet UNet, int Set, nint Embeddings);
}
