using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Pipeline;

/// <summary>
/// The parts of a model that hold memory: sessions and weights, and the text encoders, the denoiser and the decoder, which hold bindings to
/// them. Owns all of these, and releases bindings before the sessions and weights that they refer to.
/// </summary>
internal sealed class LoadedParts : IDisposable
{
    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;

    /// <param name="package">The package; borrowed.</param>
    /// <param name="device">The device; borrowed.</param>
    public LoadedParts(ModelPackage package, ExecutionDevice device)
    {
        _package = package;
        _device = device;
        Sessions = new SessionPool(package, device);
        Prompts = new TextConditioner(package, Sessions, device);
        Denoisers = new DenoiserCache(package, Sessions, device);
        Decoder = new VaeDecoder(package, Sessions, device);
    }

    /// <summary>The sessions and weights.</summary>
    public SessionPool Sessions { get; }

    /// <summary>The text encoders.</summary>
    public TextConditioner Prompts { get; }

    /// <summary>The denoisers of the last shapes.</summary>
    public DenoiserCache Denoisers { get; }

    /// <summary>The decoder.</summary>
    public VaeDecoder Decoder { get; }

    /// <summary>Puts a plan in force. A component whose weights move is loaded into its new place when it next runs.</summary>
    public void Apply(ResidencyPlan plan)
    {
        ReleaseBindings(Sessions.AffectedBy(plan));
        Denoisers.Limit(plan);
        Sessions.Apply(plan);
    }

    /// <summary>
    /// Puts LoRAs in force. Returns when the weights that they change are in place. If it fails or is stopped, no LoRAs are in force, and
    /// what they change is loaded when it next runs.
    /// </summary>
    /// <param name="loras">The LoRAs; null if there are none.</param>
    /// <param name="cancellationToken">Stops within a weight.</param>
    public void Switch(AppliedLoras? loras, CancellationToken cancellationToken)
    {
        IReadOnlyList<ComponentSpec> changed = Sessions.ChangedBy(loras);
        if (changed.Any(component => PipelineRecipe.Of(component.Name).Phase == PlanPhase.Text)) Prompts.Forget();
        ReleaseBindings(changed.Where(component => !Sessions.KeepsBindings(component, loras)));
        try
        {
            Sessions.Switch(loras, cancellationToken);
        }
        catch
        {
            ReleaseBindings(changed);
            Sessions.Abandon(changed);
            throw;
        }
    }

    /// <summary>Begins to load the components that a plan keeps loaded, without waiting for them.</summary>
    public void Preload(ResidencyPlan plan)
    {
        // The encoder is created when it is needed, so that it has the handles of one thread alone.
        IEnumerable<ComponentPlan> staying = plan.Components.Where(
            component => !component.HasRotatingSessions && !PipelineRecipe.Of(component.Name).Encodes);
        Sessions.Preload([.. staying.Select(component => _package.Manifest.Component(component.Name))], plan.MakesSessionsInParallel);
    }

    /// <summary>Releases components whose weights could not be loaded, so that the next batch loads them again.</summary>
    public void ReleaseFailed()
    {
        IReadOnlyList<ComponentSpec> failed = Sessions.Failed;
        ReleaseBindings(failed);
        foreach (ComponentSpec component in failed) Sessions.Release(component);
    }

    /// <summary>Frees the memory that arenas keep from earlier pictures, and the captured step that refers to it.</summary>
    public void TrimArenas()
    {
        // A captured step refers to the memory that is freed here.
        Denoisers.Release();
        Decoder.Release();
        // Where sessions have arenas of their own, an arena is freed only with its session.
        if (_device.ArenaStatistics is null) ReleaseAll();
        else ArenaTrimmer.Empty(_device);
    }

    /// <summary>Releases the encoder's sessions, which hold no memory of other parts.</summary>
    public void ReleaseEncoder()
    {
        foreach (ComponentSpec component in _package.Manifest.Components.Where(component => PipelineRecipe.Of(component.Name).Encodes))
            Sessions.Release(component);
    }

    /// <summary>Releases everything that is loaded. It is loaded again when it next runs.</summary>
    public void ReleaseAll()
    {
        Denoisers.Release();
        Prompts.Release();
        Decoder.Release();
        foreach (ComponentSpec component in _package.Manifest.Components) Sessions.Release(component);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Denoisers.Dispose();
        Prompts.Dispose();
        Decoder.Dispose();
        Sessions.Dispose();
    }

    private void ReleaseBindings(IEnumerable<ComponentSpec> components)
    {
        foreach (ComponentSpec component in components) ReleaseBindings(PipelineRecipe.Of(component.Name));
    }

    private void ReleaseBindings(PipelineComponent component)
    {
        switch (component.Phase)
        {
            case PlanPhase.Text:
                Prompts.Release();
                break;
            case PlanPhase.Encoding:
                // The encoder holds no bindings between its calls.
                break;
            case PlanPhase.Decoding:
                Decoder.Release();
                break;
            default:
                Denoisers.Release();
                break;
        }
    }
}
