using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;

namespace MuseAtelier.Runtime;

/// <summary>The package's sessions, one for each graph: stages of equal shape share one.</summary>
internal sealed class SessionPool(ModelPackage package, ExecutionDevice device) : IDisposable
{
    private readonly Dictionary<string, InferenceSession> _sessions = [];

    public InferenceSession For(StageSpec stage)
    {
        if (_sessions.TryGetValue(stage.Graph, out InferenceSession? session)) return session;
        using SessionOptions options = device.CreateSessionOptions();
        try
        {
            return _sessions[stage.Graph] = new InferenceSession(package.Graph(stage), options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InferenceException(stage.Name, $"ONNX Runtime could not load {stage.Graph} ({exception.Message})", exception);
        }
    }

    /// <summary>Releases the sessions of a component that is not needed for a while.</summary>
    public void Release(ComponentSpec component)
    {
        foreach (StageSpec stage in component.Stages)
            if (_sessions.Remove(stage.Graph, out InferenceSession? session)) session.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (InferenceSession session in _sessions.Values) session.Dispose();
        _sessions.Clear();
    }
}
