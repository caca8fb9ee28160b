namespace MuseAtelier.Tests.Requests;

public sealed class ScheduleCatalogTests
{
    [Theory]
    [InlineData("sgm_uniform", "sgm_uniform")]
    [InlineData("SGM Uniform", "sgm_uniform")]
    [InlineData("SGMUniform", "sgm_uniform")]
    [InlineData("KL Optimal", "kl_optimal")]
    [InlineData("kl-optimal", "kl_optimal")]
    [InlineData("Align Your Steps", "align_your_steps")]
    [InlineData("AYS", "align_your_steps")]
    [InlineData("Align Your Steps 11", "align_your_steps")]
    [InlineData("Uniform", "normal")]
    [InlineData("NORMAL", "normal")]
    [InlineData("Automatic", "automatic")]
    [InlineData("DDIM", "ddim_uniform")]
    [InlineData("ddim_uniform", "ddim_uniform")]
    [InlineData("Turbo", "trailing")]
    [InlineData(" Karras ", "karras")]
    [InlineData("Beta", "beta")]
    public void Find_OfAnyProgramsName_IsTheSchedule(string name, string id) =>
        Assert.Equal(id, ScheduleCatalog.IdOf(ScheduleCatalog.Find(name)!));

    [Theory]
    [InlineData("")]
    [InlineData("linear_quadratic")]
    [InlineData("Align Your Steps GITS")]
    [InlineData("卡拉斯")]
    public void Find_OfAnotherName_IsNull(string name) => Assert.Null(ScheduleCatalog.Find(name));

    [Fact]
    public void Find_OfEveryId_IsItsSchedule()
    {
        Assert.Equal("automatic", ScheduleCatalog.Ids[0]);
        Assert.Equal(ScheduleCatalog.Ids.Count, ScheduleCatalog.Ids.Distinct().Count());
        Assert.All(ScheduleCatalog.Ids, id => Assert.Equal(id, ScheduleCatalog.IdOf(ScheduleCatalog.Find(id)!)));
    }
}
