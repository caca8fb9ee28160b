using MuseAtelier.Format;

namespace MuseAtelier.Tests;

public sealed class DimensionTests
{
    private static readonly PictureShape Shape = new(2, 33, 65, 30) { CanvasHeight = 296, CanvasWidth = 584 };

    [Theory]
    [InlineData("7", 7)]
    [InlineData("rows", 2)]
    [InlineData("tokens", 77)]
    [InlineData("steps", 30)]
    [InlineData("height/2", 17)]
    [InlineData("height/4*width/4", 9 * 17)]
    [InlineData("height*8", 264)]
    [InlineData("width/2*8", 264)]
    [InlineData("rows*64", 128)]
    [InlineData("canvas_height", 296)]
    [InlineData("canvas_width", 584)]
    public void Resolve_OfAnExpression_MultipliesAndDividesUp(string text, long expected) =>
        Assert.Equal(expected, Dimension.Parse(text).Resolve(Shape));

    [Theory]
    [InlineData("")]
    [InlineData("depth")]
    [InlineData("batch")]
    [InlineData("height//2")]
    [InlineData("-1")]
    public void Parse_OfNoExpression_ThrowsFormatException(string text) => Assert.Throws<FormatException>(() => Dimension.Parse(text));
}
