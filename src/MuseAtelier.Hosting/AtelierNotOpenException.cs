namespace MuseAtelier.Hosting;

/// <summary>The model or the device of an atelier was asked for before the host has opened it.</summary>
/// <param name="member">The member of <see cref="IAtelier"/> that was read.</param>
/// <param name="state">The state of the atelier, in words.</param>
/// <param name="inner">The failure of the last opening, if it has failed.</param>
public sealed class AtelierNotOpenException(string member, string state, Exception? inner = null) : MuseAtelierException(
    $"{nameof(IAtelier)}.{member} was read, and the atelier {state}",
    "an open atelier",
    $"Await a picture before, or set {nameof(MuseAtelierHostOptions)}.{nameof(MuseAtelierHostOptions.WarmUp)} to "
    + $"{nameof(WarmUpMode.AtStart)}.",
    inner)
{
    /// <summary>The member that was read.</summary>
    public string Member { get; } = member;
}
