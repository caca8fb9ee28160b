using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>
/// A picture's place in the batch in which it was denoised. GPU kernels sum in an order that depends on the batch size. A picture is
/// therefore bit-identical only at the same batch size and index; in any other batch it looks the same but may differ in its last bits.
/// </summary>
/// <param name="BatchSize">Pictures in the batch, 1 to <see cref="LargestBatch"/>.</param>
/// <param name="Index">The picture's index in the batch, from 0.</param>
public sealed record BatchSlot(int BatchSize, int Index)
{
    /// <summary>
    /// The most pictures in a batch. With two rows for each guided picture, no fp16 tensor of the largest picture size then takes more than
    /// 2 GiB, which is as far as the kernels' indices reach.
    /// </summary>
    public const int LargestBatch = 8;

    /// <summary>The slot of a picture that is a batch by itself.</summary>
    public static BatchSlot Alone { get; } = new(1, 0);

    /// <summary>Whether the batch size and the index are in range.</summary>
    [JsonIgnore]
    public bool Exists => BatchSize is >= 1 and <= LargestBatch && Index >= 0 && Index < BatchSize;
}
