namespace MuseAtelier.Packages;

/// <summary>
/// Names of the tensors that carry a picture's conditioning from one component to another: keys and values of the cross-attentions, and
/// the time embedding projections of the ResBlocks.
/// </summary>
public static class ConditioningNames
{
    /// <summary>The prefix of the names of keys, which is followed by the transformer block.</summary>
    public const string Key = "key.";

    /// <summary>The prefix of the names of values, which is followed by the transformer block.</summary>
    public const string Value = "value.";

    /// <summary>The prefix of the names of time embedding projections, which is followed by the ResBlock.</summary>
    public const string TimeEmbedding = "emb.";

    /// <summary>Whether a tensor holds keys or values of a cross-attention.</summary>
    public static bool IsKeyOrValue(string tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.StartsWith(Key, StringComparison.Ordinal) || tensor.StartsWith(Value, StringComparison.Ordinal);
    }

    /// <summary>Whether a tensor holds the time embedding projection of a ResBlock.</summary>
    public static bool IsTimeEmbedding(string tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.StartsWith(TimeEmbedding, StringComparison.Ordinal);
    }

    /// <summary>Whether a tensor carries conditioning of any kind.</summary>
    public static bool IsConditioning(string tensor) => IsKeyOrValue(tensor) || IsTimeEmbedding(tensor);
}
