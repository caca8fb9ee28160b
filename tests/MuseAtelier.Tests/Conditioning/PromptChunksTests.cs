using MuseAtelier.Conditioning;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Conditioning;

public sealed class PromptChunksTests
{
    [Fact]
    public void Of_OfAPrompt_IsOneChunkWithWeights1()
    {
        PromptTokens tokens = PromptTokenizer.Encode("a starry night");
        PromptChunks chunks = PromptChunks.Of(tokens);
        Assert.Equal((1, 77, 75), (chunks.Count, chunks.Tokens, TextChunk.Capacity));
        Assert.Equal(tokens.ClipL.ToArray(), chunks.ClipL(0));
        Assert.Equal(tokens.ClipG.ToArray(), chunks.ClipG(0));
        Assert.Equal(Enumerable.Repeat(1f, 77), chunks.Weights.ToArray());
    }

    [Fact]
    public void Chunks_OfALongerRow_AreItsParts()
    {
        int[] clipL = [.. Enumerable.Range(0, 154)];
        int[] clipG = [.. clipL.Select(id => id + 1000)];
        var chunks = new PromptChunks(clipL, clipG);
        Assert.Equal((2, 154, 154), (chunks.Count, chunks.Tokens, chunks.Weights.Length));
        Assert.Equal(clipL.AsSpan(77), chunks.ClipL(1));
        Assert.Equal(clipG.AsSpan(77), chunks.ClipG(1));
        clipL[77] = -1;
        Assert.Equal(77, chunks.ClipL(1)[0]);
    }

    [Fact]
    public void Equals_OfPrompts_ComparesTheTokensOfBothEncoders()
    {
        PromptChunks night = PromptChunks.Of(PromptTokenizer.Encode("A starry  Night"));
        PromptChunks same = PromptChunks.Of(PromptTokenizer.Encode("a starry night "));
        Assert.Equal(night, same);
        Assert.Equal(night.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(night, PromptChunks.Of(PromptTokenizer.Encode("a starry day")));
        int[] other = night.ClipG(0).ToArray();
        other[^1] = 1;
        Assert.NotEqual(night, new PromptChunks(night.ClipL(0), other));
        Assert.False(night.Equals(null));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(76, 76)]
    [InlineData(154, 77)]
    public void Chunks_OfPartsOfChunks_AreRefused(int clipL, int clipG) =>
        Assert.Throws<ArgumentException>(() => new PromptChunks(new int[clipL], new int[clipG]));
}
