using MuseAtelier.Export.Loras;

namespace MuseAtelier.Tests.Loras;

public sealed class LoraArgumentTests
{
    [Theory]
    [InlineData("a.safetensors", "a.safetensors", 1, 1)]
    [InlineData("a.safetensors:0.8", "a.safetensors", 0.8, 0.8)]
    [InlineData("a.safetensors:0.8:-0.5", "a.safetensors", 0.8, -0.5)]
    [InlineData(@"C:\loras\a.safetensors:2", @"C:\loras\a.safetensors", 2, 2)]
    [InlineData("1:2:3:4", "1:2", 3, 4)]
    public void StrengthsAreTheNumbersAtTheEnd(string text, string path, float strength, float textStrength)
    {
        LoraArgument argument = LoraArgument.Parse(text);
        Assert.Equal((path, strength, textStrength), (argument.Path, argument.Strength, argument.TextStrength));
    }
}
