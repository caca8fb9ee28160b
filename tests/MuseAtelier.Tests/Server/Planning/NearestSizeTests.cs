using MuseAtelier.Server.Planning;

namespace MuseAtelier.Tests.Server.Planning;

public sealed class NearestSizeTests
{
    [Theory]
    [InlineData(1024, 1024, 768 * 768, 768, 768)]
    [InlineData(2048, 1024, 1024 * 512, 1024, 512)]
    [InlineData(1216, 832, 1000 * 700, 1008, 688)]
    [InlineData(2048, 256, 1024 * 256, 1024, 256)]
    public void Find_OfAPictureThatDoesNotFit_IsTheLargestOfItsProportions(int width, int height, int most, int nearWidth, int nearHeight)
    {
        var request = new PictureRequest { Prompt = "", Width = width, Height = height };
        int tries = 0;
        PlanSize size = NearestSize.Find(request, picture =>
        {
            tries++;
            PictureRequestException.ThrowIfUnpaintable(picture);
            return picture.Width * picture.Height <= most;
        })!;
        Assert.Equal(new PlanSize(nearWidth, nearHeight), size);
        Assert.InRange(tries, 1, 9);
    }

    [Fact]
    public void Find_WhereNothingFits_IsNull() => Assert.Null(NearestSize.Find(new PictureRequest { Prompt = "" }, _ => false));
}
