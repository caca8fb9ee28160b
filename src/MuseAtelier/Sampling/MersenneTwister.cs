namespace MuseAtelier.Sampling;

/// <summary>MT19937 (Matsumoto and Nishimura, 1998), seeded as PyTorch does: with 32 bits.</summary>
internal sealed class MersenneTwister
{
    private const int Words = 624, Middle = 397;

    private readonly uint[] _state = new uint[Words];
    private int _next = Words;

    public MersenneTwister(uint seed)
    {
        _state[0] = seed;
        for (int i = 1; i < Words; i++)
            _state[i] = 1812433253 * (_state[i - 1] ^ (_state[i - 1] >> 30)) + (uint)i;
    }

    /// <summary>The next 32 random bits.</summary>
    public uint Next()
    {
        if (_next == Words)
            Renew();
        uint word = _state[_next++];
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C5680;
        word ^= (word << 15) & 0xEFC60000;
        return word ^ (word >> 18);
    }

    private void Renew()
    {
        uint[] state = _state;
        for (int i = 0; i < Words; i++)
        {
            uint mixed = (state[i] & 0x80000000) | (state[i + 1 == Words ? 0 : i + 1] & 0x7FFFFFFF);
            uint far = state[i < Words - Middle ? i + Middle : i + Middle - Words];
            state[i] = far ^ (mixed >> 1) ^ ((mixed & 1) * 0x9908B0DF);
        }

        _next = 0;
    }
}
