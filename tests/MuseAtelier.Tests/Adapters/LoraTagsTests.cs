using MuseAtelier.Adapters;

namespace MuseAtelier.Tests.Adapters;

/// <summary>The tags by which prompts name LoRAs.</summary>
public sealed class LoraTagsTests
{
    [Theory]
    [InlineData("a <lora:ink> b", "ink 1 1", "a  b")]
    [InlineData("<lora:ink:0.8>", "ink 0.8 0.8", "")]
    [InlineData("<lyco:ink v2.1:-1e-1>x", "ink v2.1 -0.1 -0.1", "x")]
    [InlineData("<lora:ink:0.5:0.8>", "ink 0.8 0.5", "")]
    [InlineData("<lora:ink:0.5:unet=0.25>", "ink 0.25 0.5", "")]
    [InlineData("<lora:ink:te=0:unet=2>", "ink 2 0", "")]
    [InlineData("<lora:ink:te=0.5>", "ink 0.5 0.5", "")]
    [InlineData("<lora:ink:1:1:8:dyn=4:lbw=OUT>", "ink 1 1 dyn=4,lbw=OUT,8", "")]
    [InlineData("<lora:a:1>, (sea <lora:b:2>:1.2)", "a 1 1|b 2 2", ", (sea :1.2)")]
    [InlineData("<lora:a<b:1>", "a<b 1 1", "")]
    [InlineData("<lora:a\nb:1>", "a\nb 1 1", "")]
    [InlineData("<x<lora:a:1>", "a 1 1", "<x")]
    [InlineData("<k:l> <hypernet:h:1> <LORA:a:1> <lora> <lora:> <lora:a:1", "", "<k:l> <hypernet:h:1> <LORA:a:1> <lora> <lora:> <lora:a:1")]
    [InlineData("夜 <lora:水墨:0.7>", "水墨 0.7 0.7", "夜 ")]
    public void Read_OfAPrompt_FindsTheTagsAndStripLeavesTheRest(string prompt, string tags, string rest)
    {
        IReadOnlyList<LoraTag> found = LoraTags.Read(prompt, "prompt");
        string words = string.Join('|', found.Select(tag => FormattableString.Invariant($"{tag.Name} {tag.Strength} {tag.TextStrength}")
            + (tag.Unread.Count == 0 ? "" : " " + string.Join(',', tag.Unread))));
        Assert.Equal(tags, words);
        Assert.Equal(rest, LoraTags.Strip(prompt));
        Assert.Equal(found.Count > 0, LoraTags.IsIn(prompt));
        Assert.Equal(found.Select(tag => tag.Name), LoraTags.NamesIn(prompt));
    }

    [Theory]
    [InlineData("<lora:ink:much>", "'much'")]
    [InlineData("<lora:ink:nan>", "'nan'")]
    [InlineData("<lora:ink:100.5>", "'100.5'")]
    [InlineData("<lora:ink:1:-1e9>", "'-1e9'")]
    [InlineData("<lora:ink:1:unet=>", "''")]
    [InlineData("<lora: :1>", "names no LoRA")]
    [InlineData("<lora:te=1>", "names no LoRA")]
    public void Read_OfATagThatCannotBeRead_IsRefusedByName(string prompt, string found)
    {
        LoraTagException exception = Assert.Throws<LoraTagException>(() => LoraTags.Read("sea " + prompt, "prompt"));
        Assert.Equal(prompt, exception.Tag);
        Assert.Contains(found, exception.Message, StringComparison.Ordinal);
        Assert.Contains("from -100 to 100", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OfStrengths_IsReadBack()
    {
        foreach ((float strength, float text) in ((float, float)[])[(1, 1), (0.1f, 0.1f), (0.3f, -0.7f), (0, 1e-7f)])
        {
            LoraTag tag = Assert.Single(LoraTags.Read(LoraTag.Write("a b", strength, text), "prompt"));
            Assert.Equal(("a b", strength, text), (tag.Name, tag.Strength, tag.TextStrength));
        }

        Assert.True(LoraTag.CanName("ink, v2.1 (new)"));
        Assert.All(["", "a:b", "a>b", "a=b", "a\nb"], name => Assert.False(LoraTag.CanName(name)));
    }

    [Fact]
    public void Strip_OfAHostilePrompt_TakesLinearTime()
    {
        string open = string.Concat(Enumerable.Repeat("<lora:", 40_000));
        string tags = string.Concat(Enumerable.Repeat("<a:b", 50_000)) + ">";
        long begin = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.Equal(open, LoraTags.Strip(open));
        Assert.Equal(tags, LoraTags.Strip(tags));
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(5));
    }
}
