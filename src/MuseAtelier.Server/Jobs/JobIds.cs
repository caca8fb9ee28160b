namespace MuseAtelier.Server.Jobs;

/// <summary>
/// Makes the ids of jobs: 26 letters and digits whose order is that of their making, also when the clock goes back. They begin with the
/// time in milliseconds, as ULIDs do, and end with 80 random bits. Safe for concurrent use.
/// </summary>
internal sealed class JobIds
{
    private const string Letters = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Length = 26;
    private const int RandomBits = 80;

    private readonly Lock _gate = new();
    private UInt128 _last;

    /// <summary>Makes an id.</summary>
    public string Next(DateTimeOffset now)
    {
        Span<byte> random = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(random);
        UInt128 mask = (UInt128.One << RandomBits) - 1;
        // Bytes 6 and 8 of a random Guid have fixed bits, so that its two halves are mixed.
        UInt128 bits = ((UInt128)BitConverter.ToUInt64(random) << 24) ^ BitConverter.ToUInt64(random[8..]);
        UInt128 id = ((UInt128)now.ToUnixTimeMilliseconds() << RandomBits) | (bits & mask);
        lock (_gate)
        {
            if (id <= _last) id = _last + 1;
            _last = id;
        }

        return Write(id);
    }

    /// <summary>Makes later ids follow this one.</summary>
    public void Follow(string id)
    {
        if (!IsId(id)) return;
        UInt128 value = 0;
        foreach (char letter in id) value = (value << 5) | (uint)Letters.IndexOf(letter, StringComparison.Ordinal);
        lock (_gate)
            if (value > _last) _last = value;
    }

    /// <summary>Whether a text has the form of an id.</summary>
    public static bool IsId(string text) => text.Length == Length && text.All(letter => Letters.Contains(letter, StringComparison.Ordinal));

    private static string Write(UInt128 id) => string.Create(Length, id, (text, value) =>
    {
        for (int i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Letters[(int)(uint)(value & 31)];
            value >>= 5;
        }
    });
}
