namespace MuseAtelier;

/// <summary>A part of the model failed while it was loaded or run.</summary>
public sealed class InferenceException(string part, string found, Exception inner)
    : MuseAtelierException(found, "the part to run", "If this persists, export the checkpoint again with this version; else please report it with this message.", inner)
{
    /// <summary>The part of the model: a stage's name.</summary>
    public string Part { get; } = part;
}
