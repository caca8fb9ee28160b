using System.Runtime.Intrinsics;

namespace MuseAtelier.Sampling;

/// <summary>
/// MT19937 (Matsumoto and Nishimura, 1998), seeded as PyTorch does: with 32 bits. Its caller owns the state, so that it can be used where
/// nothing may be allocated.
/// </summary>
/// <param name="state">The state, of <see cref="Words"/> words; borrowed.</param>
/// <param name="next">Index of the next word of the state, up to <see cref="Words"/>, which asks for new ones.</param>
internal ref struct MersenneTwister(Span<uint> state, int next)
{
    /// <summary>The words of a state.</summary>
    public const int Words = 624;

    private const int Middle = 397;

    private readonly Span<uint> _state = state[..Words];

    /// <summary>Index of the next word of the state.</summary>
    public int Position { get; private set; } = next;

    /// <summary>Writes the state for a seed. The first word that follows is at <see cref="Words"/>.</summary>
    public static void Seed(uint seed, Span<uint> state)
    {
        state[0] = seed;
        for (int i = 1; i < Words; i++)
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >> 30)) + (uint)i;
    }

    /// <summary>The next 32 random bits.</summary>
    public uint Next()
    {
        if (Position == Words) Renew();
        uint word = _state[Position++];
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C5680;
        word ^= (word << 15) & 0xEFC60000;
        return word ^ (word >> 18);
    }

    /// <summary>Fills with numbers from 0 to below 1: the low 24 bits of each word, as torch makes fp32 numbers.</summary>
    public void Fill(Span<float> uniform)
    {
        while (!uniform.IsEmpty)
        {
            if (Position == Words) Renew();
            int count = Math.Min(Words - Position, uniform.Length), i = 0;
            ReadOnlySpan<uint> words = _state.Slice(Position, count);
            for (; i + Vector256<uint>.Count <= count; i += Vector256<uint>.Count)
                ToUniform(Temper(Vector256.Create(words[i..]))).CopyTo(uniform[i..]);
            Position += i;
            for (; i < count; i++) uniform[i] = (Next() & 0xFFFFFF) * (1f / 0x1000000);
            uniform = uniform[count..];
        }
    }

    private static Vector256<uint> Temper(Vector256<uint> word)
    {
        word ^= word >>> 11;
        word ^= (word << 7) & Vector256.Create(0x9D2C5680);
        word ^= (word << 15) & Vector256.Create(0xEFC60000);
        return word ^ (word >>> 18);
    }

    private static Vector256<float> ToUniform(Vector256<uint> word) =>
        Vector256.ConvertToSingle((word & Vector256.Create(0xFFFFFFu)).AsInt32()) * Vector256.Create(1f / 0x1000000);

    private void Renew()
    {
        Span<uint> state = _state;
        // The word for index i follows from i, i + 1 and i + 397, counted round; what lies before i is new already.
        int i = RenewMany(state, 0, Words - Middle, Middle);
        for (; i < Words - Middle; i++) RenewOne(state, i, i + Middle);
        i = RenewMany(state, i, Words - 1, Middle - Words);
        for (; i < Words; i++) RenewOne(state, i, i + Middle - Words);
        Position = 0;
    }

    private static int RenewMany(Span<uint> state, int i, int end, int far)
    {
        for (; i + Vector256<uint>.Count <= end; i += Vector256<uint>.Count)
        {
            Vector256<uint> low = Vector256.Create<uint>(state[(i + 1)..]);
            Vector256<uint> mixed =
                (Vector256.Create<uint>(state[i..]) & Vector256.Create(0x80000000)) | (low & Vector256.Create(0x7FFFFFFFu));
            Vector256<uint> odd = (Vector256<uint>.Zero - (low & Vector256<uint>.One)) & Vector256.Create(0x9908B0DF);
            (Vector256.Create<uint>(state[(i + far)..]) ^ (mixed >>> 1) ^ odd).CopyTo(state[i..]);
        }

        return i;
    }

    private static void RenewOne(Span<uint> state, int i, int far)
    {
        uint mixed = (state[i] & 0x80000000) | (state[i + 1 == Words ? 0 : i + 1] & 0x7FFFFFFF);
        state[i] = state[far] ^ (mixed >> 1) ^ ((mixed & 1) * 0x9908B0DF);
    }
}
