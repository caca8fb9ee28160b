namespace MuseAtelier;

/// <summary>What disposing an atelier does with the requests that are left.</summary>
public enum DisposalMode
{
    /// <summary>Stops the picture that is being painted within a step, and cancels the requests that wait.</summary>
    Abort,

    /// <summary>Finishes all requests first.</summary>
    Drain,
}
