namespace MuseAtelier;

/// <summary>
/// The order in which waiting requests are painted: higher priorities first, and in the order of their arrival within a priority. A picture
/// that is being painted is not interrupted.
/// </summary>
public enum GenerationPriority
{
    /// <summary>Painted when nothing else waits.</summary>
    Low = -1,

    /// <summary>The default.</summary>
    Normal = 0,

    /// <summary>Painted before all that waits with a lower priority.</summary>
    High = 1,
}
