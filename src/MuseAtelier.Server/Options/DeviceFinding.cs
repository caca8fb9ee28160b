namespace MuseAtelier.Server;

/// <summary>What is known of the device that paints.</summary>
internal sealed record DeviceFinding
{
    /// <summary>The device in words: "NVIDIA H100", "the processor, 8 cores".</summary>
    public required string Device { get; init; }

    /// <summary>Whether it is a card.</summary>
    public required bool IsCard { get; init; }

    /// <summary>Why the device cannot be used, or why a card that the machine has is not used; null if nothing is wrong.</summary>
    public string? Problem { get; init; }

    /// <summary>What to do about it; null if nothing is wrong.</summary>
    public string? Remedy { get; init; }

    /// <summary>What the options alone say, where nothing looks at drivers and libraries.</summary>
    public static DeviceFinding Of(AtelierOptions options) => options.CountedMemory == MemoryKind.Device
        ? new DeviceFinding { Device = "an NVIDIA card", IsCard = true }
        : new DeviceFinding { Device = ProcessorInWords(), IsCard = false };

    /// <summary>The processor in words.</summary>
    public static string ProcessorInWords() => FormattableString.Invariant($"the processor, {Environment.ProcessorCount} cores");
}
