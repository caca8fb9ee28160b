namespace MuseAtelier;

/// <summary>Where the denoiser's weights are between the steps.</summary>
public enum OffloadMode
{
    /// <summary>The fastest mode within the budget.</summary>
    Auto,

    /// <summary>All weights stay in device memory.</summary>
    Resident,

    /// <summary>
    /// The weights of every stage are copied through a streaming buffer in device memory at each step. A processor reads them from the
    /// mapped file instead.
    /// </summary>
    Stream,

    /// <summary>
    /// Weights are streamed, and sessions that hold weights of their own rotate: two are loaded at a time, while the next two are
    /// created. Takes the least memory, and is slow.
    /// </summary>
    Rotate,
}
