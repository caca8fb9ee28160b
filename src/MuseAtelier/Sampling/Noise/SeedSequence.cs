using System.Diagnostics;

namespace MuseAtelier.Sampling;

/// <summary>
/// numpy's <c>SeedSequence</c> with a pool of 24 words, as torchsde's Brownian trees use it (numpy/random/bit_generator.pyx, SeedSequence;
/// O'Neill, 2015, "Developing a seed_seq alternative"). Allocates nothing.
/// </summary>
internal static class SeedSequence
{
    private const int PoolWords = 24;
    private const int MostSpawnWords = 4;
    private const int Shift = 16;

    /// <summary>The seed of the root of a tree: the first word of <c>SeedSequence(entropy)</c>.</summary>
    /// <param name="entropy">The entropy.</param>
    /// <returns>The first word of <c>generate_state</c>.</returns>
    public static uint First(ulong entropy)
    {
        Span<uint> state = stackalloc uint[1];
        Generate(entropy, [], state);
        return state[0];
    }

    /// <summary>The seed of a node of a tree: the first word of <c>SeedSequence(entropy, spawn_key=(key, depth))</c>.</summary>
    /// <param name="entropy">The entropy.</param>
    /// <param name="key">The node's index among the nodes of its depth.</param>
    /// <param name="depth">The node's depth.</param>
    /// <returns>The first word of <c>generate_state</c>.</returns>
    public static uint First(ulong entropy, ulong key, uint depth)
    {
        Span<uint> state = stackalloc uint[1];
        Span<uint> spawn = stackalloc uint[MostSpawnWords];
        int words = Words(key, spawn);
        words += Words(depth, spawn[words..]);
        Generate(entropy, spawn[..words], state);
        return state[0];
    }

    /// <summary>numpy's <c>generate_state</c> for 32-bit words.</summary>
    /// <param name="entropy">The entropy.</param>
    /// <param name="spawnKey">The words of the spawn key; empty means none.</param>
    /// <param name="state">Receives as many words as fit.</param>
    public static void Generate(ulong entropy, ReadOnlySpan<uint> spawnKey, Span<uint> state)
    {
        // The words of the entropy fill up to two places of the pool. With a spawn key numpy pads them to the pool's size, and a missing
        // word counts as 0 in any case.
        Span<uint> pool = stackalloc uint[PoolWords];
        pool.Clear();
        _ = Words(entropy, pool);
        uint constant = 0x43B0D7E5;
        foreach (ref uint word in pool) word = Hash(word, ref constant);
        for (int from = 0; from < PoolWords; from++)
        {
            for (int to = 0; to < PoolWords; to++)
                if (from != to) pool[to] = Mix(pool[to], Hash(pool[from], ref constant));
        }

        foreach (uint word in spawnKey)
            foreach (ref uint to in pool) to = Mix(to, Hash(word, ref constant));

        constant = 0x8B51F9DD;
        for (int i = 0; i < state.Length; i++)
        {
            uint word = pool[i % PoolWords] ^ constant;
            constant *= 0x58F38DED;
            word *= constant;
            state[i] = word ^ (word >> Shift);
        }
    }

    // numpy splits a whole number into words of 32 bits, the lowest first; 0 is one word.
    private static int Words(ulong number, Span<uint> words)
    {
        Debug.Assert(words.Length > 1 || number <= uint.MaxValue, "A number of 64 bits needs two words.");
        words[0] = (uint)number;
        if (number <= uint.MaxValue) return 1;
        words[1] = (uint)(number >> 32);
        return 2;
    }

    private static uint Hash(uint word, ref uint constant)
    {
        word ^= constant;
        constant *= 0x931E8875;
        word *= constant;
        return word ^ (word >> Shift);
    }

    private static uint Mix(uint x, uint y)
    {
        uint mixed = x * 0xCA01F9DD - y * 0x4973F715;
        return mixed ^ (mixed >> Shift);
    }
}
