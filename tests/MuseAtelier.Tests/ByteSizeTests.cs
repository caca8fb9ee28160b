namespace MuseAtelier.Tests;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("4GiB", 4L << 30)]
    [InlineData("3.5 GiB", 7L << 29)]
    [InlineData("4096MiB", 4L << 30)]
    [InlineData(" 2 gib ", 2L << 30)]
    [InlineData("64KiB", 65536)]
    [InlineData("1tib", 1L << 40)]
    [InlineData("4GB", 4_000_000_000)]
    [InlineData("2.5mb", 2_500_000)]
    [InlineData("12 B", 12)]
    [InlineData("1234567", 1234567)]
    [InlineData("0.1GiB", 107374182)]
    [InlineData("0", 0)]
    public void Parse_OfAnAmount_GivesBytes(string text, long bytes) => Assert.Equal(bytes, ByteSize.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("four GiB")]
    [InlineData("-1GiB")]
    [InlineData("4G")]
    [InlineData("1,5GiB")]
    [InlineData("1e3")]
    [InlineData("4 GiB free")]
    [InlineData("NaN")]
    [InlineData("99999999TiB")]
    [InlineData("9223372036854775808")]
    public void Parse_OfAnythingElse_IsRefusedByName(string text) =>
        Assert.Equal(text, Assert.Throws<ByteSizeException>(() => ByteSize.Parse(text)).Text);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(7L << 29, "3.5 GiB")]
    [InlineData(5L << 40, "5 TiB")]
    public void Format_OfBytes_TakesTheLargestUnit(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));

    [Fact]
    public void FormatUp_OfBytes_IsNeverLess()
    {
        Assert.Equal("2000 MiB", ByteSize.FormatUp(2000L << 20));
        Assert.Equal("2001 MiB", ByteSize.FormatUp((2000L << 20) + 1));
    }
}
