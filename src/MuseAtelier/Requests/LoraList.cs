using System.Collections;

namespace MuseAtelier;

/// <summary>The LoRAs of a request. Two lists are equal if their LoRAs are, in the same order, so that requests compare by value.</summary>
internal sealed class LoraList : IReadOnlyList<PictureLora>
{
    private readonly PictureLora[] _loras;

    private LoraList(PictureLora[] loras) => _loras = loras;

    /// <summary>The list without any.</summary>
    public static LoraList Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _loras.Length;

    /// <inheritdoc/>
    public PictureLora this[int index] => _loras[index];

    /// <summary>Copies LoRAs; null stays null, which the rules of requests refuse where it has no meaning.</summary>
    public static IReadOnlyList<PictureLora> Of(IReadOnlyList<PictureLora>? loras) => loras switch
    {
        null => null!,
        LoraList list => list,
        { Count: 0 } => Empty,
        _ => new LoraList([.. loras]),
    };

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LoraList other && _loras.AsSpan().SequenceEqual(other._loras);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (PictureLora lora in _loras) hash.Add(lora);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<PictureLora> GetEnumerator() => ((IEnumerable<PictureLora>)_loras).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
