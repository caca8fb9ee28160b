using MuseAtelier.Residency;

namespace MuseAtelier;

/// <summary>The memory that a budget limits.</summary>
internal enum MemoryKind
{
    /// <summary>The memory of a card, as its driver counts it.</summary>
    Device,

    /// <summary>The memory of the machine, without the pages of mapped files.</summary>
    Host,
}

/// <summary>
/// An amount of memory that an atelier may hold: <c>MemoryBudget.Parse("8GiB")</c>, or a number of bytes, which converts implicitly.
/// </summary>
public readonly record struct MemoryBudget
{
    /// <summary>A budget of a number of bytes.</summary>
    /// <param name="bytes">Bytes, from 0. A budget that is too small for a picture is refused when the picture is planned.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public MemoryBudget(long bytes)
    {
        PlanRules.CheckBytes(bytes, nameof(bytes));
        Bytes = bytes;
    }

    /// <summary>
    /// The budget of a card if none is declared, 19 GiB: the memory that SDXL takes in other programs, which leaves a card of 24 GB some
    /// memory for other work.
    /// </summary>
    public static MemoryBudget DeviceDefault { get; } = new(ResidencyRequest.DefaultBudget);

    /// <summary>The amount in bytes, from 0.</summary>
    public long Bytes { get; }

    /// <summary>A budget of a number of bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public static implicit operator MemoryBudget(long bytes) => new(bytes);

    /// <summary>A budget of a number of bytes.</summary>
    /// <param name="bytes">Bytes, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public static MemoryBudget FromInt64(long bytes) => new(bytes);

    /// <summary>
    /// Reads an amount such as <c>8GiB</c>, <c>3.5 GiB</c>, <c>4096MiB</c>, <c>4GB</c> or a plain number of bytes. Drops fractions of a
    /// byte.
    /// </summary>
    /// <param name="text">The amount.</param>
    /// <exception cref="ByteSizeException">The text is no such amount, is negative or does not fit into 64 bits.</exception>
    public static MemoryBudget Parse(string text) => new(ByteSize.Parse(text));

    /// <summary>The amount in the largest binary unit that it reaches, with at most two decimals, such as <c>3.5 GiB</c>.</summary>
    public override string ToString() => ByteSize.Format(Bytes);
}
