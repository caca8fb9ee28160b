using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Sampling;

public sealed class SeedSequenceTests
{
    [Theory]
    [InlineData(0UL, new uint[] { }, new[] { 4025752534, 2687548107, 2326983537 })]
    [InlineData(42UL, new uint[] { }, new uint[] { 387750627, 2536650517, 4078839648 })]
    [InlineData(0UL, new uint[] { 0, 0 }, new uint[] { 245430115, 3436620678, 4120055464, 1627243804 })]
    [InlineData(42UL, new uint[] { 5, 3 }, new uint[] { 3084123560, 468215949, 242942938, 2650128260 })]
    public void Generate_GivesNumpysWords(ulong entropy, uint[] spawnKey, uint[] expected)
    {
        uint[] state = new uint[expected.Length];
        SeedSequence.Generate(entropy, spawnKey, state);
        Assert.Equal(expected, state);
        uint first = spawnKey.Length == 0 ? SeedSequence.First(entropy) : SeedSequence.First(entropy, spawnKey[0], spawnKey[1]);
        Assert.Equal(expected[0], first);
    }

    [Fact]
    public void First_OfAKeyAbove32Bits_SplitsIt()
    {
        uint[] state = new uint[1];
        SeedSequence.Generate(7, [3, 1, 40], state);
        Assert.Equal(state[0], SeedSequence.First(7, 3 + (1UL << 32), 40));
    }

    [Fact]
    public void First_OfEntropyAbove32Bits_Differs() => Assert.NotEqual(SeedSequence.First(1), SeedSequence.First(1 + (1UL << 32)));
}
