using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>
/// A picture's place in the pass of the denoising network that painted it. A card adds up other numbers of rows in another order, and so a picture's
/// last bits are those of its pass: to the eye it is the same in every pass, byte by byte it is in the same place of one as large.
/// </summary>
/// <param name="Pictures">Pictures that were denoised together, 1 to <see cref="LargestBatch"/>.</param>
/// <param name="Index">Which of them this one was, from 0.</param>
public sealed record BatchSlot(int Pictures, int Index)
{
    /// <summary>Pictures of a pass at most: with a guidance pair of each, no fp16 tensor of the largest size takes more than 2 GiB, which is what kernels count to.</summary>
    public const int LargestBatch = 8;

    /// <summary>The place of a picture that was painted by itself.</summary>
    public static BatchSlot Alone { get; } = new(1, 0);

    /// <summary>Whether there is such a place.</summary>
    [JsonIgnore]
    public bool Exists => Pictures is >= 1 and <= LargestBatch && Index >= 0 && Index < Pictures;
}
