using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;

namespace MuseAtelier.Runtime;

/// <summary>The package's sessions, one for each graph: stages of equal shape share one.</summary>
internal sealed class SessionPool(ModelPackage package, ExecutionDevice device) : IDisposable
{
    private readonly Dictionary<string, InferenceSession> _sessions = [];
    private readonly Dictionary<string, SessionTurns> _turns = [];

    /// <summary>Whether the arena is emptied when a component has run and is not run again soon.</summary>
    public bool EmptiesArena { get; set; }

    public InferenceSession For(StageSpec stage)
    {
        if (_sessions.TryGetValue(stage.Graph, out InferenceSession? session)) return session;
        using SessionOptions options = device.CreateSessionOptions();
        return _sessions[stage.Graph] = Create(stage, options);
    }

    /// <summary>Says whether sessions of a component that hold constants take turns, instead of staying; for a component that nothing is bound to.</summary>
    public void LetTakeTurns(ComponentSpec component, bool takesTurns)
    {
        if (takesTurns == _turns.ContainsKey(component.Name)) return;
        Release(component);
        if (takesTurns) _turns[component.Name] = new SessionTurns(component, CreateBriefly);
        else if (_turns.Remove(component.Name, out SessionTurns? turns)) turns.Dispose();
    }

    /// <summary>The component's sessions that take turns; null where all stay.</summary>
    public SessionTurns? Turns(ComponentSpec component) => _turns.GetValueOrDefault(component.Name);

    /// <summary>Releases what was made ahead for a round that does not come.</summary>
    public void Rest()
    {
        foreach (SessionTurns turns in _turns.Values) turns.Rest();
    }

    /// <summary>Releases the sessions of a component that is not needed for a while.</summary>
    public void Release(ComponentSpec component)
    {
        foreach (StageSpec stage in component.Stages)
            if (_sessions.Remove(stage.Graph, out InferenceSession? session)) session.Dispose();
        if (_turns.TryGetValue(component.Name, out SessionTurns? turns)) turns.Rest();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SessionTurns turns in _turns.Values) turns.Dispose();
        foreach (InferenceSession session in _sessions.Values) session.Dispose();
        _turns.Clear();
        _sessions.Clear();
    }

    // A session that runs once is not worth rearranging its weights for: that takes several times as long, and three times the memory.
    private InferenceSession CreateBriefly(StageSpec stage)
    {
        using SessionOptions options = device.CreateSessionOptions();
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC;
        return Create(stage, options);
    }

    private InferenceSession Create(StageSpec stage, SessionOptions options)
    {
        try
        {
            return new InferenceSession(package.Graph(stage), options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InferenceException(stage.Name, $"ONNX Runtime could not load {stage.Graph} ({exception.Message})", exception);
        }
    }
}
