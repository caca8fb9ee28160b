using MuseAtelier.Export.Loras;

namespace MuseAtelier.Tests.Loras;

public sealed class LoraArgumentTests
{
    [Theory]
    [InlineData("a.safetensors", "a.safetensors", null, null)]
    [InlineData("a.safetensors:0.8", "a.safetensors", 0.8f, null)]
    [InlineData("a.safetensors:0.8:-0.5", "a.safetensors", 0.8f, -0.5f)]
    [InlineData(@"C:\loras\a.safetensors:2", @"C:\loras\a.safetensors", 2f, null)]
    [InlineData("1:2:3:4", "1:2", 3f, 4f)]
    [InlineData("a.safetensors:inf", "a.safetensors", float.PositiveInfinity, null)]
    [InlineData("a.safetensors:-Inf:nan", "a.safetensors", float.NegativeInfinity, float.NaN)]
    [InlineData("a:info", "a:info", null, null)]
    public void StrengthsAreTheNumbersAtTheEnd(string text, string path, float? strength, float? textStrength)
    {
        LoraArgument argument = LoraArgument.Parse(text);
        Assert.Equal((path, strength, textStrength), (argument.Path, argument.Strength, argument.TextStrength));
    }
}
