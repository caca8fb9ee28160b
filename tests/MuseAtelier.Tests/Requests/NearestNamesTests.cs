namespace MuseAtelier.Tests.Requests;

public sealed class NearestNamesTests
{
    private static readonly string[] Names = ["euler_a", "euler", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "heun", "lcm"];

    [Theory]
    [InlineData("eular", "Did you mean euler?")]
    [InlineData("DPMPP-2M-SED", "Did you mean dpmpp_2m_sde or dpmpp_2m?")]
    [InlineData("lmc", "")]
    [InlineData("lc", "Did you mean lcm?")]
    [InlineData("abacus", "")]
    [InlineData("--", "")]
    [InlineData("", "")]
    public void Question_OfAWord_OffersTheNearestNames(string word, string question) =>
        Assert.Equal(question, NearestNames.Question(NearestNames.Of(word, Names)));

    [Fact]
    public void Of_AVeryLongWord_IsEmpty() => Assert.Empty(NearestNames.Of(new string('e', 1 << 20), Names));

    [Fact]
    public void RequestChoiceException_OfANearName_AsksForIt()
    {
        var request = new PictureRequest { Prompt = "", NoiseSource = new NoiseSource("A111") };
        var exception = Assert.Throws<RequestChoiceException>(() => PictureRequestException.ThrowIfUnpaintable(request));
        Assert.Contains("Did you mean A1111", exception.Message, StringComparison.Ordinal);
    }
}
