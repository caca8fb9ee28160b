namespace MuseAtelier.Sampling;

/// <summary>The diagnostics of the parts of the public interface that may still change (<c>ExperimentalAttribute</c>).</summary>
internal static class Experiments
{
    /// <summary>Samplers and noise sources of a library's user.</summary>
    public const string Sampling = "MUSE001";
}
