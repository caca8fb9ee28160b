using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;

namespace MuseAtelier.Runtime;

/// <summary>
/// What is loaded of a package: a session for each graph, which stages of equal shape share, and the weights that transformer stages take
/// as inputs. Runs stay on the engine's thread; sessions may be created on others ahead of that.
/// </summary>
internal sealed class SessionPool(ModelPackage package, ExecutionDevice device) : IDisposable
{
    private readonly Dictionary<string, Task<InferenceSession>> _sessions = [];
    private readonly Dictionary<string, SessionRotation> _turns = [];
    private readonly Dictionary<string, StageWeights> _weights = [];
    private readonly Dictionary<string, IReadOnlyList<WeightPlacement>> _placements = [];
    private readonly List<NativeThread> _creators = [];
    private readonly Dictionary<string, ArenaStatistics> _ownArenas = [];
    private readonly HashSet<string> _createdAhead = [];

    /// <summary>
    /// Whether the arena that most components share is emptied when one has run that is not run again soon. What is captured refers to it.
    /// </summary>
    public bool TrimsArena { get; set; }

    /// <summary>The same of the arenas that what decodes has for itself.</summary>
    public bool TrimsOwnArenas { get; set; }

    /// <summary>Whether runs may be captured: what is captured refers to sessions and memory, which must stay then.</summary>
    public bool MayCapture { get; set; } = true;

    /// <summary>Sessions that were ever asked for of those that share the arena: a number that changes with each new one.</summary>
    public int SharingArena { get; private set; }

    /// <summary>What whoever waits should know of how weights come.</summary>
    public IEnumerable<string> Notices => _weights.Values.Select(weights => weights.Notice).OfType<string>();

    /// <summary>Whether every session that was asked for is there.</summary>
    public bool IsSettled
    {
        get
        {
            foreach (Task<InferenceSession> session in _sessions.Values)
                if (!session.IsCompleted) return false;
            return true;
        }
    }

    /// <summary>Says where a component's weights go; for a component that is not loaded yet.</summary>
    public void Place(ComponentSpec component, IReadOnlyList<WeightPlacement> placements) => _placements[component.Name] = placements;

    /// <summary>
    /// Says whether sessions of a component that hold constants take turns, instead of staying. What was bound to it must be disposed
    /// before.
    /// </summary>
    public void RotateSessions(ComponentSpec component, bool takesTurns)
    {
        if (takesTurns == _turns.ContainsKey(component.Name)) return;
        Release(component);
        if (takesTurns) _turns[component.Name] = new SessionRotation(component, stage => Create(stage, Traits(component), runsOnce: true));
        else if (_turns.Remove(component.Name, out SessionRotation? turns)) turns.Dispose();
    }

    /// <summary>The component's sessions that take turns; null where all stay.</summary>
    public SessionRotation? Turns(ComponentSpec component) => _turns.GetValueOrDefault(component.Name);

    /// <summary>
    /// Gives up what only a component needs that is run again at once: sessions made ahead, lent weights, the window of streamed ones.
    /// </summary>
    public void ReleaseIdle()
    {
        foreach (SessionRotation turns in _turns.Values) turns.ReleaseIdle();
        foreach (StageWeights weights in _weights.Values) weights.SwapOut();
    }

    /// <summary>
    /// Begins to load components, in the order in which they are needed, while the engine's thread goes on. Does nothing on a device that
    /// loads at need.
    /// </summary>
    /// <param name="components">The components.</param>
    /// <param name="inParallel">Whether sessions are made by threads of their own; else each is made when it is first needed, while weights
    /// are read.</param>
    public void Preload(IReadOnlyList<ComponentSpec> components, bool inParallel)
    {
        if (!device.LoadsAhead) return;
        foreach (ComponentSpec component in components) Weights(component);
        if (!inParallel || device.SessionThreads == 0) return;
        var wanted = new ConcurrentQueue<(ComponentSpec Component, StageSpec Stage, TaskCompletionSource<InferenceSession> Session)>();
        foreach (ComponentSpec component in components)
        {
            foreach (StageSpec stage in component.Stages)
            {
                if (_sessions.ContainsKey(stage.Graph)) continue;
                var session = new TaskCompletionSource<InferenceSession>();
                wanted.Enqueue((component, stage, session));
                _createdAhead.Add(stage.Graph);
                Add(component, stage, session.Task);
            }
        }

        JoinCreators();
        for (int i = 0; i < Math.Min(device.SessionThreads, wanted.Count); i++)
        {
            // The thread goes on after the caller's lease has ended: it has one of its own.
            DeviceLease lease = device.Enter(CancellationToken.None);
            var creator = new NativeThread("MuseAtelier sessions", () => CreateAll(lease));
            _creators.Add(creator);
            creator.Start();
        }

        void CreateAll(DeviceLease lease)
        {
            using DeviceLease admitted = lease;
            while (wanted.TryDequeue(out var next))
            {
                try
                {
                    next.Session.SetResult(Create(next.Component, next.Stage));
                }
#pragma warning disable CA1031 // Whatever fails belongs to whoever asks for that session.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    next.Session.SetException(exception);
                }
            }
        }
    }

    /// <summary>The session of a component's stage; waits for it where it is being created.</summary>
    public InferenceSession For(ComponentSpec component, StageSpec stage)
    {
        if (!_sessions.TryGetValue(stage.Graph, out Task<InferenceSession>? session))
            session = Add(component, stage, Task.FromResult(Create(component, stage)));
        return session.GetAwaiter().GetResult();
    }

    /// <summary>The component's weights; the pool keeps them.</summary>
    public StageWeights Weights(ComponentSpec component)
    {
        if (_weights.TryGetValue(component.Name, out StageWeights? weights)) return weights;
        return _weights[component.Name] = device.LoadWeights(component, _placements.GetValueOrDefault(component.Name));
    }

    /// <summary>Releases a component that is not needed for a while. What was bound to it must be disposed before.</summary>
    public void Release(ComponentSpec component)
    {
        foreach (StageSpec stage in component.Stages)
            if (_sessions.Remove(stage.Graph, out Task<InferenceSession>? session)) Dispose(stage.Graph, session);
        if (_turns.TryGetValue(component.Name, out SessionRotation? turns)) turns.ReleaseIdle();
        if (_weights.Remove(component.Name, out StageWeights? weights)) weights.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (StageWeights weights in _weights.Values) weights.Dispose();
        foreach (SessionRotation turns in _turns.Values) turns.Dispose();
        foreach ((string graph, Task<InferenceSession> session) in _sessions) Dispose(graph, session);
        _weights.Clear();
        _turns.Clear();
        _sessions.Clear();
        JoinCreators();
    }

    /// <summary>Whether a component's arena is emptied when it has run.</summary>
    public bool TrimsArenaOf(ComponentSpec component) => SessionTraits.OwnsArena(component) ? TrimsOwnArenas : TrimsArena;

    /// <summary>
    /// Device memory of the sessions that are there or being made, in bytes: constants, handles of the device's libraries, and working
    /// memory that stays in their arenas.
    /// </summary>
    /// <param name="profile">What a session costs.</param>
    public long HeldBytes(DeviceProfile profile)
    {
        double sharing = 0, handles = 0;
        foreach (ComponentSpec component in package.Manifest.Components)
        {
            IEnumerable<StageSpec> distinct = component.Stages.DistinctBy(stage => stage.Graph);
            foreach (StageSpec stage in distinct.Where(stage => _sessions.ContainsKey(stage.Graph)))
            {
                // ONNX Runtime keeps a set of handles for the thread that created a session and one for the thread that runs it.
                handles += profile.SessionBytes * (_createdAhead.Contains(stage.Graph) ? 2 : 1);
                if (!SessionTraits.OwnsArena(component)) sharing += stage.ConstantBytes * profile.KeptSessions.HeldFactor;
            }
        }

        long own = 0;
        lock (_ownArenas)
            foreach (ArenaStatistics arena in _ownArenas.Values) own += arena.Read()?.Held ?? 0;
        return (long)handles + own + device.SharedArenaBytes((long)sharing);
    }

    // A thread that touched native libraries must have ended before the process does: its thread-local destructors run native code.
    private void JoinCreators()
    {
        foreach (NativeThread creator in _creators) creator.Join();
        _creators.Clear();
    }

    private SessionTraits Traits(ComponentSpec component) => SessionTraits.Of(package.Manifest, component);

    private void Dispose(string graph, Task<InferenceSession> session)
    {
        // Creation cannot be stopped, only waited for; where it failed there is nothing to give back.
        ((IAsyncResult)session).AsyncWaitHandle.WaitOne();
        _createdAhead.Remove(graph);
        // The counter shares the session's arena, which would outlive the session with it.
        lock (_ownArenas)
            if (_ownArenas.Remove(graph, out ArenaStatistics? arena)) arena.Dispose();
        if (session.IsCompletedSuccessfully) session.Result.Dispose();
    }

    private Task<InferenceSession> Add(ComponentSpec component, StageSpec stage, Task<InferenceSession> session)
    {
        if (!SessionTraits.OwnsArena(component)) SharingArena++;
        return _sessions[stage.Graph] = session;
    }

    private InferenceSession Create(ComponentSpec component, StageSpec stage)
    {
        SessionTraits traits = Traits(component);
        InferenceSession session = Create(stage, traits, runsOnce: false);
        if (!traits.HasOwnArena)
        {
            device.ArenaStatistics?.FindBy(session);
        }
        else if (device.ArenaStatistics is not null)
        {
            var arena = new ArenaStatistics(device.Memory);
            arena.FindBy(session);
            lock (_ownArenas) _ownArenas[stage.Graph] = arena;
        }

        return session;
    }

    private InferenceSession Create(StageSpec stage, SessionTraits traits, bool runsOnce)
    {
        try
        {
            using SessionOptions options = device.CreateSessionOptions(traits);
            // Then it is not worth rearranging its weights for: that takes several times as long, and three times the memory.
            if (runsOnce) options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC;
            return new InferenceSession(package.Graph(stage), options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw device.Failure(exception, stage.Name, "could not load", stage.Graph);
        }
    }
}
