using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>
/// A picture's place in the batch in which it was denoised. GPU kernels sum in an order that depends on the batch size. A picture is
/// therefore bit-identical only at the same batch size and index; in any other batch it looks the same but may differ in its last bits.
/// </summary>
public sealed record BatchSlot
{
    /// <summary>
    /// The most pictures in a batch. With two rows for each guided picture, no fp16 tensor of pictures of up to 2048x2048 px then takes
    /// more than 2 GiB, which is as far as the kernels' indices reach. Of larger pictures fewer share a batch: two of 4096x4096 px.
    /// </summary>
    public const int LargestBatch = 8;

    /// <summary>Describes a place in a batch. <see cref="Exists"/> tells whether it is in range.</summary>
    /// <param name="batchSize">Pictures in the batch, 1 to <see cref="LargestBatch"/>.</param>
    /// <param name="index">The picture's index in the batch, from 0.</param>
    public BatchSlot(int batchSize, int index)
    {
        BatchSize = batchSize;
        Index = index;
    }

    /// <summary>Pictures in the batch, 1 to <see cref="LargestBatch"/>.</summary>
    public int BatchSize { get; init; }

    /// <summary>The picture's index in the batch, from 0.</summary>
    public int Index { get; init; }

    /// <summary>The slot of a picture that is a batch by itself.</summary>
    public static BatchSlot Alone { get; } = new(1, 0);

    /// <summary>Whether the batch size and the index are in range.</summary>
    [JsonIgnore]
    public bool Exists => BatchSize is >= 1 and <= LargestBatch && Index >= 0 && Index < BatchSize;
}
