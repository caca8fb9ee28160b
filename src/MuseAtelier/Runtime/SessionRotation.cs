using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;

namespace MuseAtelier.Runtime;

/// <summary>
/// The sessions of a component whose constants have no room all at once. They come in pairs: while the stages of one pair run, another
/// thread makes the next pair's sessions, the first pair's again after the last. A session is released as soon as its stage has run.
/// </summary>
internal sealed class SessionRotation : IDisposable
{
    private readonly Func<StageSpec, InferenceSession> _create;
    private readonly List<StageSpec> _stages;
    private readonly Dictionary<string, Task<InferenceSession>> _ready = [];
    private readonly MakerThread _maker = new("MuseAtelier sessions");

    /// <param name="component">The component.</param>
    /// <param name="create">Makes a stage's session; called on a thread of this object's own, always the same one.</param>
    public SessionRotation(ComponentSpec component, Func<StageSpec, InferenceSession> create)
    {
        _create = create;
        _stages = [.. component.Stages.Where(Rotates)];
    }

    /// <summary>Sessions that are there or being made.</summary>
    public int Count => _ready.Count;

    /// <summary>Whether a stage's session takes turns: those of transformer stages hold nothing, and serve many stages each.</summary>
    public static bool Rotates(StageSpec stage) => stage.Kind == StageKind.Convolution;

    /// <summary>A stage's session, until <see cref="Return"/>; waits for it where it is being made.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="isLastRound">Whether the component is not run again soon: nothing is made ahead then at its end.</param>
    public InferenceSession Take(StageSpec stage, bool isLastRound)
    {
        int index = _stages.FindIndex(entry => entry.Name == stage.Name), end = (index / 2 + 1) * 2;
        Prepare(index, end);
        InferenceSession session = _ready[stage.Name].GetAwaiter().GetResult();
        // Only now: before, the next pair would be made beside this one, and both would be late.
        if (end < _stages.Count) Prepare(end, end + 2);
        else if (!isLastRound) Prepare(0, 2);
        return session;
    }

    /// <summary>Releases a session that <see cref="Take"/> gave.</summary>
    public void Return(StageSpec stage)
    {
        if (_ready.Remove(stage.Name, out Task<InferenceSession>? session)) session.Result.Dispose();
    }

    /// <summary>Releases all sessions, those that were made ahead too.</summary>
    public void ReleaseIdle()
    {
        // Making cannot be stopped, only waited for; where it failed there is nothing to give back.
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
            // One after the other: two at once would need the memory of both while they are made.
            _ready[stage.Name] = _maker.Run(() => _create(stage));
        }
    }
}
