namespace MuseAtelier.Hosting;

/// <summary>When a host opens an atelier.</summary>
public enum WarmUpMode
{
    /// <summary>
    /// Opening begins when the host starts, and the start does not wait for it. Requests wait until it is finished. A failure is logged,
    /// and the health check reports it.
    /// </summary>
    InBackground,

    /// <summary>The start of the host waits until the atelier is open, and fails if it cannot be opened.</summary>
    AtStart,

    /// <summary>The first request opens the atelier.</summary>
    OnFirstUse,
}
