namespace MuseAtelier.Tests.Requests;

public sealed class IgnoredMembersTests
{
    private static readonly PictureRequest Usual = new() { Prompt = "a sea" };

    [Fact]
    public void Of_OfMembersThatAct_IsEmpty()
    {
        Assert.Empty(IgnoredMembers.Of(Usual));
        Assert.Empty(IgnoredMembers.Of(Usual with { GuidanceScale = 0 }));
        Assert.Empty(IgnoredMembers.Of(Usual with { PromptSyntax = PromptSyntax.Plain }));
        Assert.Empty(IgnoredMembers.Of(Usual with
        {
            Sampler = SamplerName.Ddim,
            Eta = 1,
            Emphasis = PromptEmphasis.NoNorm,
            CommaBacktrack = 0,
            VariationSeed = 5,
            VariationStrength = 0.1f,
            GuidanceRescale = 0.7f,
            GuidanceFrom = 0.2f,
            GuidanceTo = 0.8f,
        }));
    }

    [Fact]
    public void Of_OfAMemberThatDoesNotAct_NamesIt()
    {
        AssertOne(Usual with { Sampler = SamplerName.Lms, Eta = 1 }, "The sampler lms has no eta");
        AssertOne(
            Usual with { Sampler = SamplerName.Ddim, Eta = 1, Dialect = SamplingDialect.Comfy }, "The sampler ddim has no eta in ComfyUI");
        AssertOne(Usual with { PromptSyntax = PromptSyntax.Comfy, Emphasis = PromptEmphasis.NoNorm }, "The emphasis is ignored");
        AssertOne(Usual with { PromptSyntax = PromptSyntax.Plain, CommaBacktrack = 0 }, "The comma backtrack is ignored");
        AssertOne(Usual with { VariationSeed = 5 }, "The variation seed is ignored");
        AssertOne(Usual with { GuidanceScale = 0, GuidanceRescale = 0.7f }, "Rescaling the guidance is ignored");
        AssertOne(Usual with { GuidanceScale = 1, GuidanceTo = 0.5f }, "The guidance interval is ignored");
    }

    private static void AssertOne(PictureRequest request, string beginning) =>
        Assert.StartsWith(beginning, Assert.Single(IgnoredMembers.Of(request)), StringComparison.Ordinal);
}
