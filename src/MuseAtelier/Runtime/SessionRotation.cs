using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Residency;

namespace MuseAtelier.Runtime;

/// <summary>
/// The sessions of a component whose constants do not fit the budget at once. Sessions are created in pairs: while the stages of one pair
/// run, another thread creates the sessions of the next pair; the first pair follows the last. A session is released when its stage has
/// run.
/// </summary>
internal sealed class SessionRotation : IDisposable
{
    private readonly Func<StageSpec, InferenceSession> _create;
    private readonly List<StageSpec> _stages;
    private readonly Dictionary<string, Task<InferenceSession>> _ready = [];
    private readonly MakerThread _maker = new("MuseAtelier sessions");

    /// <summary>Prepares the rotation without creating a session.</summary>
    /// <param name="component">The component.</param>
    /// <param name="create">Creates the session of a stage. Always called on the same thread, which belongs to this object.</param>
    public SessionRotation(ComponentSpec component, Func<StageSpec, InferenceSession> create)
    {
        _create = create;
        _stages = [.. component.Stages.Where(SessionWeights.Rotates)];
    }

    /// <summary>The number of sessions that exist or are being created.</summary>
    public int Count => _ready.Count;

    /// <summary>Returns a stage's session, valid until <see cref="Return"/>. Waits for a session that is being created.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="isLastRound">Whether the component is not run again soon, so that the first pair is not created again.</param>
    public InferenceSession Take(StageSpec stage, bool isLastRound)
    {
        int index = _stages.FindIndex(entry => entry.Name == stage.Name), end = (index / 2 + 1) * 2;
        Prepare(index, end);
        InferenceSession session = _ready[stage.Name].GetAwaiter().GetResult();
        // The next pair must be queued only now, because it would delay this pair if both were created at the same time.
        if (end < _stages.Count) Prepare(end, end + 2);
        else if (!isLastRound) Prepare(0, 2);
        return session;
    }

    /// <summary>Releases a session that <see cref="Take"/> returned.</summary>
    public void Return(StageSpec stage)
    {
        if (_ready.Remove(stage.Name, out Task<InferenceSession>? session)) session.Result.Dispose();
    }

    /// <summary>Releases all sessions, including those that were created ahead.</summary>
    public void ReleaseIdle()
    {
        // Only the creator's own token ends the creation of a session early. A creation that failed left nothing to release.
        _maker.Await();
        foreach (Task<InferenceSession> session in _ready.Values)
            if (session.IsCompletedSuccessfully) session.Result.Dispose();
        _ready.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseIdle();
        _maker.Dispose();
    }

    private void Prepare(int first, int end)
    {
        foreach (StageSpec stage in _stages.Take(end).Skip(first))
        {
            if (_ready.ContainsKey(stage.Name)) continue;
            // Sessions must be created one after the other, because creating two at once would need the peak memory of both.
            _ready[stage.Name] = _maker.Run(() => _create(stage));
        }
    }
}
