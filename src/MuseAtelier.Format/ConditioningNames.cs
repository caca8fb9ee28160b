using System.Globalization;

namespace MuseAtelier.Format;

/// <summary>
/// Names of the tensors that carry a picture's conditioning from one component to another: keys and values of the cross-attentions, and
/// the time embedding projections of the ResBlocks. And names of the text encoders' outputs.
/// </summary>
internal static class ConditioningNames
{
    /// <summary>The prefix of the names of keys, which is followed by the transformer block.</summary>
    public const string Key = "key.";

    /// <summary>The prefix of the names of values, which is followed by the transformer block.</summary>
    public const string Value = "value.";

    /// <summary>The prefix of the names of time embedding projections, which is followed by the ResBlock.</summary>
    public const string TimeEmbedding = "emb.";

    /// <summary>The layer that SDXL is trained with, counted from a text encoder's last one: the penultimate.</summary>
    public const int UsualClipSkip = 2;

    /// <summary>The farthest layer from the last one that a text encoder may output.</summary>
    public const int MostClipSkip = 12;

    /// <summary>The output of a text encoder that holds the hidden states of a layer.</summary>
    /// <param name="clipSkip">The layer, counted from the last one. 1 means the same as 2.</param>
    public static string HiddenStates(int clipSkip) =>
        clipSkip <= UsualClipSkip ? "hidden" : string.Create(CultureInfo.InvariantCulture, $"hidden_{clipSkip}");

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
