using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Runtime;

/// <summary>
/// The loaded parts of a package, by the plan in force: a session for each graph, which stages of equal shape share, and the weights that
/// transformer stages take as inputs. All members are called on the engine's thread; other threads may create sessions ahead of their use.
/// </summary>
internal sealed class SessionPool(ModelPackage package, ExecutionDevice device) : IDisposable
{
    // The folder of the constants that a model in memory names.
    private const string ConstantsFolder = "session.model_external_initializers_file_folder_path";

    private readonly Dictionary<string, Task<InferenceSession>> _sessions = [];
    private readonly Dictionary<string, SessionRotation> _rotations = [];
    private readonly Dictionary<string, StageWeights> _weights = [];
    private readonly List<NativeThread> _creators = [];
    private readonly Dictionary<string, ArenaStatistics> _ownArenas = [];
    private readonly HashSet<string> _createdAhead = [];
    private ResidencyPlan? _plan;
    private AppliedLoras? _loras;

    // Whether the shared arena is trimmed after a component that is not run again soon, and likewise the arenas of whole pictures.
    private bool _trimsSharedArena;
    private bool _trimsOwnArenas;

    /// <summary>Whether runs may be captured. A captured run refers to sessions and memory, which must then stay.</summary>
    public bool MayCapture { get; private set; } = true;

    /// <summary>Number of sessions that were ever added to the shared arena. It changes with each new one.</summary>
    public int SharingArena { get; private set; }

    /// <summary>
    /// The token of the batch that is painted. It ends the creation of the sessions that the batch needs, and the wait for those that are
    /// created ahead.
    /// </summary>
    public CancellationToken Stopping { get; set; }

    /// <summary>Sentences for the user about weights that are loaded otherwise than planned; empty if there are none.</summary>
    public IEnumerable<string> Notices => _weights.Values.Select(weights => weights.Notice).OfType<string>();

    /// <summary>The LoRAs in force; null if there are none.</summary>
    public AppliedLoras? Loras => _loras;

    /// <summary>Whether the creation of every session has ended.</summary>
    public bool IsSettled
    {
        get
        {
            foreach (Task<InferenceSession> session in _sessions.Values)
                if (!session.IsCompleted) return false;
            return true;
        }
    }

    /// <summary>
    /// The components that <see cref="Apply"/> would release because a plan moves their weights, changes the streaming buffer that they
    /// use, or changes whether their sessions rotate. Bindings to their sessions and weights must be disposed before it is applied.
    /// </summary>
    /// <param name="plan">The plan.</param>
    public IReadOnlyList<ComponentSpec> AffectedBy(ResidencyPlan plan)
    {
        bool buffersChange = _plan is not null
            && (_plan.StreamingBufferBytes != plan.StreamingBufferBytes || _plan.PreparingBufferBytes != plan.PreparingBufferBytes);
        return
        [
            .. plan.Components
                .Where(component => Moves(component)
                    || (buffersChange && UsesStreamingBuffer(component))
                    || Rotates(component) != _rotations.ContainsKey(component.Name))
                .Select(component => package.Manifest.Component(component.Name)),
        ];
    }

    /// <summary>
    /// Puts a plan in force: releases the components that it affects, so that they are loaded into their new places when they next run,
    /// and follows its choices of session rotation, of arenas that are trimmed, and of captures. Loads nothing.
    /// </summary>
    /// <param name="plan">The plan.</param>
    public void Apply(ResidencyPlan plan)
    {
        foreach (ComponentSpec component in AffectedBy(plan)) Release(component);
        foreach (ComponentPlan component in plan.Components) SetRotation(package.Manifest.Component(component.Name), Rotates(component));
        _trimsSharedArena = !plan.KeepsArena;
        _trimsOwnArenas = !plan.KeepsDecodingArena;
        KeepsEncoder = plan.KeepsEncoder;
        MayCapture = plan.CapturesSteps;
        _plan = plan;
    }

    /// <summary>Trims every arena after a run that is not soon followed by another one, without a plan.</summary>
    public void TrimAfterRuns()
    {
        _trimsSharedArena = true;
        _trimsOwnArenas = true;
    }

    /// <summary>The components of which <see cref="Switch"/> changes weights or constants.</summary>
    /// <param name="next">The next LoRAs; null if there are none.</param>
    public IReadOnlyList<ComponentSpec> ChangedBy(AppliedLoras? next) =>
        [.. package.Manifest.Components.Where(component => _loras?.Changes(component) == true || next?.Changes(component) == true)];

    /// <summary>
    /// Whether bindings to a component stay valid when other LoRAs are put in force: its sessions stay, and its weights are replaced where
    /// they lie.
    /// </summary>
    /// <param name="component">A component of <see cref="ChangedBy"/>.</param>
    /// <param name="next">The next LoRAs; null if there are none.</param>
    public bool KeepsBindings(ComponentSpec component, AppliedLoras? next) =>
        component.Stages.All(stage => AppliedLoras.KeyOf(_loras, component, stage) == AppliedLoras.KeyOf(next, component, stage))
        && _weights.TryGetValue(component.Name, out StageWeights? weights) && weights.Switches;

    /// <summary>
    /// Puts other LoRAs in force: releases the sessions whose constants change, and replaces the weights that the former or the next LoRAs
    /// change. Returns when the weights are in place. Bindings that do not stay valid must be disposed before. If it fails, the weights
    /// are neither the former nor the next: <see cref="Abandon"/> must follow.
    /// </summary>
    /// <param name="next">The next LoRAs; null if there are none.</param>
    /// <param name="stopping">Stops between two weights.</param>
    public void Switch(AppliedLoras? next, CancellationToken stopping)
    {
        AppliedLoras? former = _loras;
        IReadOnlyList<ComponentSpec> changed = ChangedBy(next);
        foreach (ComponentSpec component in changed) ReleaseSessions(component, next);
        _loras = next;
        List<Task> loads = [];
        try
        {
            foreach (ComponentSpec component in changed)
            {
                if (!_weights.TryGetValue(component.Name, out StageWeights? weights)) continue;
                if (weights.Switches)
                {
                    loads.Add(weights.Switch(former, next, stopping));
                    continue;
                }

                _weights.Remove(component.Name);
                weights.Dispose();
            }
        }
        finally
        {
            // Even if one load could not begin, the others write into memory that must stay until they end.
            ((IAsyncResult)Task.WhenAll(loads)).AsyncWaitHandle.WaitOne();
        }

        Task.WhenAll(loads).GetAwaiter().GetResult();
    }

    /// <summary>
    /// Releases what a failed <see cref="Switch"/> left behind, and puts no LoRAs in force. Bindings must be disposed before.
    /// </summary>
    /// <param name="changed">The components that the switch changed.</param>
    public void Abandon(IReadOnlyList<ComponentSpec> changed)
    {
        foreach (ComponentSpec component in changed) Release(component);
        _loras = null;
    }

    /// <summary>The components whose weights could not be loaded. Only after their release are they loaded again.</summary>
    public IReadOnlyList<ComponentSpec> Failed =>
        [.. _weights.Where(weights => weights.Value.HasFailed).Select(weights => package.Manifest.Component(weights.Key))];

    /// <summary>The rotation of a component's sessions; null if all of them stay loaded.</summary>
    public SessionRotation? RotationOf(ComponentSpec component) => _rotations.GetValueOrDefault(component.Name);

    /// <summary>
    /// Frees what only a component that runs again at once needs: sessions created ahead, swapped-out weights and the streaming buffers.
    /// </summary>
    public void ReleaseIdle()
    {
        foreach (SessionRotation rotation in _rotations.Values) rotation.ReleaseIdle();
        foreach (StageWeights weights in _weights.Values) weights.SwapOut();
    }

    /// <summary>
    /// Begins to load components while the engine's thread goes on. Does nothing on a device that loads components when they are needed.
    /// </summary>
    /// <param name="components">The components, in the order in which they are needed.</param>
    /// <param name="inParallel">
    /// Whether threads of their own create the sessions; otherwise each session is created when it is first needed, while weights are read.
    /// </param>
    public void Preload(IReadOnlyList<ComponentSpec> components, bool inParallel)
    {
        if (!device.LoadsAhead) return;
        foreach (ComponentSpec component in components) Weights(component);
        if (!inParallel || device.SessionThreads == 0) return;
        ConcurrentQueue<WantedSession> wanted = AddMissing(components);
        JoinCreators();
        for (int i = 0; i < Math.Min(device.SessionThreads, wanted.Count); i++) StartCreator(wanted);
    }

    /// <summary>The session of a component's stage. Creates it, or waits if it is being created.</summary>
    /// <exception cref="OperationCanceledException"><see cref="Stopping"/> was cancelled.</exception>
    public InferenceSession For(ComponentSpec component, StageSpec stage)
    {
        if (!_sessions.TryGetValue(KeyOf(component, stage), out Task<InferenceSession>? session))
            session = Add(component, stage, Task.FromResult(Create(component, stage, Stopping)));
        // A session that is created ahead serves later batches, so its creation goes on.
        return session.WaitAsync(Stopping).GetAwaiter().GetResult();
    }

    /// <summary>The component's weights, owned by the pool.</summary>
    public StageWeights Weights(ComponentSpec component)
    {
        if (_weights.TryGetValue(component.Name, out StageWeights? weights)) return weights;
        return _weights[component.Name] = device.LoadWeights(component, PlanOf(component.Name), _loras, Stopping);
    }

    /// <summary>Releases a component's sessions and weights. Bindings to them must be disposed before.</summary>
    public void Release(ComponentSpec component)
    {
        foreach (string key in component.Stages.Select(stage => KeyOf(component, stage))) ReleaseSession(key);
        if (_rotations.TryGetValue(component.Name, out SessionRotation? rotation)) rotation.ReleaseIdle();
        if (_weights.Remove(component.Name, out StageWeights? weights)) weights.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (StageWeights weights in _weights.Values) weights.Dispose();
        foreach (SessionRotation rotation in _rotations.Values) rotation.Dispose();
        foreach ((string key, Task<InferenceSession> session) in _sessions) Dispose(key, session);
        _weights.Clear();
        _rotations.Clear();
        _sessions.Clear();
        JoinCreators();
    }

    /// <summary>Whether the sessions of the encoder stay after it has run.</summary>
    public bool KeepsEncoder { get; private set; }

    /// <summary>
    /// Whether a component's arena is trimmed after a run that is not soon followed by another one. That of an encoder always is: no plan
    /// keeps it.
    /// </summary>
    public bool TrimsArenaOf(ComponentSpec component) => SessionTraits.OwnsArena(component)
        ? _trimsOwnArenas || PipelineRecipe.Of(component.Name).Encodes
        : _trimsSharedArena;

    /// <summary>
    /// Bytes of device memory of the sessions that exist or are being created: constants, handles of the device's libraries, and working
    /// memory that stays in their arenas.
    /// </summary>
    /// <param name="profile">The cost of a session.</param>
    public long HeldBytes(DeviceProfile profile)
    {
        double sharing = 0, handles = 0;
        foreach (ComponentSpec component in package.Manifest.Components)
        {
            foreach (StageSpec stage in component.Stages.DistinctBy(stage => KeyOf(component, stage)))
            {
                string key = KeyOf(component, stage);
                if (!_sessions.ContainsKey(key)) continue;
                // ONNX Runtime keeps a set of handles for the thread that created a session and one for the thread that runs it.
                handles += profile.SessionBytes * (_createdAhead.Contains(key) ? 2 : 1);
                if (!SessionTraits.OwnsArena(component)) sharing += stage.ConstantBytes * profile.KeptSessions.HeldFactor;
            }
        }

        long own = 0;
        lock (_ownArenas)
            foreach (ArenaStatistics arena in _ownArenas.Values) own += arena.Read()?.Held ?? 0;
        return (long)handles + own + device.SharedArenaBytes((long)sharing);
    }

    // Only the sessions of a component that runs in every step rotate. Those of others are released as a whole if memory is short.
    private static bool Rotates(ComponentPlan component) =>
        PipelineRecipe.Of(component.Name).RunsInEveryStep && component.HasRotatingSessions;

    private static bool UsesStreamingBuffer(ComponentPlan component) =>
        component.Stages.Any(stage => stage.Placement is StagePlacement.Streamed or StagePlacement.Staged);

    // Whether weights move to another place. Constants in sessions and weights in mapped files never move.
    private bool Moves(ComponentPlan component)
    {
        IEnumerable<StagePlacement> places = component.Stages.Select(PlaceOfWeights);
        return PlanOf(component.Name) is { } former
            ? !places.SequenceEqual(former.Stages.Select(PlaceOfWeights))
            : places.Any(place => place != StagePlacement.Resident);

        static StagePlacement PlaceOfWeights(StagePlan stage) =>
            stage.Placement is StagePlacement.SwappedOut or StagePlacement.Streamed or StagePlacement.Staged
                ? stage.Placement
                : StagePlacement.Resident;
    }

    // The component's part of the plan in force; null without a plan, and for a component that the plan does not name.
    private ComponentPlan? PlanOf(string name) => _plan?.Components.FirstOrDefault(component => component.Name == name);

    private string KeyOf(ComponentSpec component, StageSpec stage) => AppliedLoras.KeyOf(_loras, component, stage);

    // Releases the sessions that no stage of a component uses with the next LoRAs, and those that were created ahead to run once.
    private void ReleaseSessions(ComponentSpec component, AppliedLoras? next)
    {
        HashSet<string> kept = [.. component.Stages.Select(stage => AppliedLoras.KeyOf(next, component, stage))];
        foreach (string key in component.Stages.Select(stage => KeyOf(component, stage)).Distinct().Except(kept)) ReleaseSession(key);
        if (_rotations.TryGetValue(component.Name, out SessionRotation? rotation)) rotation.ReleaseIdle();
    }

    private void ReleaseSession(string key)
    {
        if (_sessions.Remove(key, out Task<InferenceSession>? session)) Dispose(key, session);
    }

    private void SetRotation(ComponentSpec component, bool rotates)
    {
        if (rotates == _rotations.ContainsKey(component.Name)) return;
        if (rotates)
            _rotations[component.Name] = new SessionRotation(
                component, stage => Create(component, stage, runsOnce: true, Stopping));
        else if (_rotations.Remove(component.Name, out SessionRotation? rotation)) rotation.Dispose();
    }

    // Adds the sessions of components that the pool lacks. Creator threads must complete them.
    private ConcurrentQueue<WantedSession> AddMissing(IReadOnlyList<ComponentSpec> components)
    {
        var wanted = new ConcurrentQueue<WantedSession>();
        foreach (ComponentSpec component in components)
        {
            foreach (StageSpec stage in component.Stages)
            {
                if (_sessions.ContainsKey(KeyOf(component, stage))) continue;
                var session = new TaskCompletionSource<InferenceSession>();
                wanted.Enqueue(new WantedSession(component, stage, session));
                _createdAhead.Add(KeyOf(component, stage));
                Add(component, stage, session.Task);
            }
        }

        return wanted;
    }

    private void StartCreator(ConcurrentQueue<WantedSession> wanted)
    {
        // The thread goes on after the caller's lease has ended: it has one of its own.
        DeviceLease lease = device.Enter(CancellationToken.None);
        var creator = new NativeThread("MuseAtelier sessions", () => CreateAll(wanted, lease));
        try
        {
            creator.Start();
        }
        catch (ThreadLimitException exception)
        {
            lease.Dispose();
            // The threads that already run create all sessions.
            if (_creators.Count > 0) return;
            // Sessions that no thread creates must fail, because every use and the disposal of one wait for it.
            while (wanted.TryDequeue(out WantedSession? next)) next.Session.SetException(exception);
            throw;
        }

        _creators.Add(creator);
    }

    private void CreateAll(ConcurrentQueue<WantedSession> wanted, DeviceLease lease)
    {
        using DeviceLease admitted = lease;
        while (wanted.TryDequeue(out WantedSession? next))
        {
            try
            {
                next.Session.SetResult(Create(next.Component, next.Stage, CancellationToken.None));
            }
#pragma warning disable CA1031 // The failure is thrown where the session is used.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                next.Session.SetException(exception);
            }
        }
    }

    // A thread that called native libraries must end before the process does, because its thread-local destructors run native code.
    private void JoinCreators()
    {
        foreach (NativeThread creator in _creators) creator.Join();
        _creators.Clear();
    }

    private SessionTraits Traits(ComponentSpec component) => SessionTraits.Of(package.Manifest, component);

    private void Dispose(string key, Task<InferenceSession> session)
    {
        // Creation cannot be stopped, only waited for. If it failed, there is no session to dispose.
        ((IAsyncResult)session).AsyncWaitHandle.WaitOne();
        _createdAhead.Remove(key);
        // The statistics hold the session's arena, which would otherwise outlive the session.
        lock (_ownArenas)
            if (_ownArenas.Remove(key, out ArenaStatistics? arena)) arena.Dispose();
        if (session.IsCompletedSuccessfully) session.Result.Dispose();
    }

    private Task<InferenceSession> Add(ComponentSpec component, StageSpec stage, Task<InferenceSession> session)
    {
        if (!SessionTraits.OwnsArena(component)) SharingArena++;
        return _sessions[KeyOf(component, stage)] = session;
    }

    private InferenceSession Create(ComponentSpec component, StageSpec stage, CancellationToken stopping)
    {
        SessionTraits traits = Traits(component);
        InferenceSession session = Create(component, stage, runsOnce: false, stopping);
        if (!traits.HasOwnArena)
        {
            device.ArenaStatistics?.FindBy(session);
        }
        else if (device.ArenaStatistics is not null)
        {
            var arena = new ArenaStatistics(device.Memory);
            arena.FindBy(session);
            lock (_ownArenas) _ownArenas[KeyOf(component, stage)] = arena;
        }

        return session;
    }

    private InferenceSession Create(ComponentSpec component, StageSpec stage, bool runsOnce, CancellationToken stopping)
    {
        stopping.ThrowIfCancellationRequested();
        try
        {
            using SessionOptions options = device.CreateSessionOptions(Traits(component));
            // The weights of a session that runs once are not rearranged, because that takes several times as long, and three times the
            // memory.
            if (runsOnce) options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC;
            // The session of a large stage takes seconds. ONNX Runtime looks at the flag between two passes over the graph.
            using CancellationTokenRegistration registration =
                stopping.UnsafeRegister(static options => ((SessionOptions)options!).SetLoadCancellationFlag(true), options);
            string graph = package.Graph(stage);
            if (_loras?.ModelOf(component, stage) is not { } model) return new InferenceSession(graph, options);
            options.AddSessionConfigEntry(ConstantsFolder, Path.GetDirectoryName(Path.GetFullPath(graph))!);
            return new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException) when (stopping.IsCancellationRequested)
        {
            throw new OperationCanceledException(stopping);
        }
        catch (OnnxRuntimeException exception)
        {
            throw device.Failure(exception, stage.Name, "could not load", stage.Graph);
        }
    }

    // A session that a creator thread completes.
    private sealed record WantedSession(ComponentSpec Component, StageSpec Stage, TaskCompletionSource<InferenceSession> Session);
}
