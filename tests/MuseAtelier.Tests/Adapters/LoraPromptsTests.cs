using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Adapters;

/// <summary>How the tags of a prompt become LoRAs of its request.</summary>
public sealed class LoraPromptsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public LoraPromptsTests()
    {
        _folder.Write("ink.safetensors", []);
        _folder.Write("mist.safetensors", []);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Resolve_OfTags_AddsThemBehindTheRequestsOwn()
    {
        var own = new PictureLora { Path = "own.safetensors", Strength = 2 };
        PictureRequest request = Request("<lora:mist:0.5:0.25>a [lake:<lora:ink>:0.5]") with { Loras = [own] };
        ResolvedLoras resolved = Resolve(request);
        Assert.Empty(resolved.Notices);
        Assert.Equal(request.Prompt, resolved.Request.Prompt);
        Assert.Equal(
            [
                own,
                new PictureLora { Path = _folder["mist.safetensors"], Strength = 0.25f, TextStrength = 0.5f, IsFromPrompt = true },
                new PictureLora { Path = _folder["ink.safetensors"], IsFromPrompt = true },
            ],
            resolved.Request.Loras);
        Assert.Same(resolved.Request, Resolve(resolved.Request).Request);
    }

    [Fact]
    public void Of_AResolvedRequest_ReadsThePromptWithoutItsTags()
    {
        PictureRequest plain = Request("a [lake::0.5] AND a  boat :2") with { Steps = 4 };
        PictureRequest tagged = plain with { Prompt = "a [lake:<lora:ink:1>:0.5] AND a <lora:mist:1> boat :2" };
        var expected = RequestPrompts.Of(plain);
        var found = RequestPrompts.Of(Resolve(tagged).Request);
        Assert.Equal(Tokens(expected), Tokens(found));
        Assert.Equal(expected.Notices, found.Notices);
        Assert.Equal(expected.Weights, found.Weights);
        Assert.NotEqual(Tokens(expected), Tokens(RequestPrompts.Of(tagged)));
    }

    [Fact]
    public void Resolve_WithoutFoldersOrInAnotherSyntax_LeavesTheTagsAsText()
    {
        PictureRequest request = Request("a <lora:none:1>");
        Assert.Same(request, LoraPrompts.Resolve(request, []).Request);
        Assert.Contains("networks such as <lora:none:1>", Assert.Single(RequestPrompts.Of(request).Notices), StringComparison.Ordinal);
        foreach (PromptSyntax syntax in (PromptSyntax[])[PromptSyntax.Comfy, PromptSyntax.Plain])
        {
            PictureRequest other = request with { PromptSyntax = syntax };
            Assert.Same(other, Resolve(other).Request);
        }

        // AUTOMATIC1111 does not read the negative prompt's tags either (modules/processing.py, parse_extra_network_prompts).
        PictureRequest negative = Request("a") with { NegativePrompt = "<lora:none:1>" };
        Assert.Same(negative, Resolve(negative).Request);
        Assert.Contains("networks", Assert.Single(RequestPrompts.Of(negative).Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_OfWhatIsNotDoneAsWritten_SaysSo()
    {
        PictureRequest twice = Request("<lora:ink:0.5><lora:ink:0.25><lora:mist:1:dyn=4> <hypernet:h:1>");
        ResolvedLoras resolved = Resolve(twice);
        Assert.Equal([0.5f, 0.25f, 1f], resolved.Request.Loras.Select(lora => lora.Strength));
        Assert.Equal(
            [
                "'dyn=4' in the tag of the LoRA 'mist' is not read: the LoRA is used without it.",
                "The prompt names the LoRA 'ink' 2 times. All of them are added up.",
            ],
            resolved.Notices);
        Assert.Contains("networks such as <hypernet:h:1>", Assert.Single(RequestPrompts.Of(resolved.Request).Notices),
            StringComparison.Ordinal);
    }

    // The request names the LoRA "own" itself. Null: the LoRAs of the first pass, as they are.
    [Theory]
    [InlineData("sea <lora:ink:1>", null, null)]
    [InlineData("sea", null, null)]
    [InlineData("sea <lora:ink:1>", "lake <lora:ink:1>", null)]
    [InlineData("sea <lora:ink:1>", "lake <lora:ink:0.5>", "own ink:0.5")]
    [InlineData("sea <lora:ink:1>", "lake <lora:mist:2>", "own mist:2")]
    [InlineData("sea <lora:ink:1>", "lake", "own")]
    [InlineData("sea", "lake <lora:mist:2>", "own mist:2")]
    [InlineData("sea", "lake", null)]
    public void Resolve_OfASecondPass_TakesTheTagsOfItsOwnPromptInstead(string first, string? second, string? expected)
    {
        PictureRequest request = Request(first) with
        {
            Loras = [new PictureLora { Path = "own.safetensors" }],
            Hires = new HiresPass { Prompt = second },
        };
        ResolvedLoras resolved = Resolve(request);
        Assert.Empty(resolved.Notices);
        Assert.Equal(expected, resolved.Request.Hires!.Loras is { } loras ? Words(loras) : null);
        Assert.Equal(first.Contains("ink", StringComparison.Ordinal) ? "own ink" : "own", Words(resolved.Request.Loras));
        PictureRequest pass = HiresRules.SecondPassOf(resolved.Request);
        Assert.Equal(LoraTags.Strip(second ?? first), LoraTags.TextOf(pass));
        Assert.Same(resolved.Request, Resolve(resolved.Request).Request);
        Assert.Same(request, LoraPrompts.Resolve(request, []).Request);
    }

    [Theory]
    [InlineData("sea <lora:ink:1>", null, "other ink")]
    [InlineData("sea <lora:ink:1>", "lake <lora:mist:2>", "other mist:2")]
    [InlineData("sea <lora:ink:1>", "lake", "other")]
    [InlineData("sea", null, "other")]
    public void Resolve_OfASecondPassWithLorasOfItsOwn_AddsTheTagsBehindThem(string first, string? second, string expected)
    {
        PictureRequest request = Request(first) with
        {
            Hires = new HiresPass { Prompt = second, Loras = [new PictureLora { Path = "other.safetensors" }] },
        };
        PictureRequest resolved = Resolve(request).Request;
        Assert.Equal(expected, Words(resolved.Hires!.Loras!));
        Assert.Same(resolved, Resolve(resolved).Request);
    }

    [Fact]
    public void Resolve_OfASecondPass_NamesItsPrompt()
    {
        HiresPass pass = new() { Prompt = "<lora:ink:1><lora:ink:2>" };
        Assert.Equal(
            "The prompt of the second pass names the LoRA 'ink' 2 times. All of them are added up.",
            Assert.Single(Resolve(Request("sea") with { Hires = pass }).Notices));
        LoraTagException refused = Assert.Throws<LoraTagException>(
            () => Resolve(Request("sea") with { Hires = pass with { Prompt = "<lora:ink:x>" } }));
        Assert.Contains("the prompt of the second pass has <lora:ink:x>", refused.Message, StringComparison.Ordinal);
        Assert.Equal(
            "inc", Assert.Throws<LoraNotFoundException>(
                () => Resolve(Request("sea") with { Hires = pass with { Prompt = "<lora:inc:1>" } })).Name);
    }

    [Fact]
    public void Resolve_OfATagWithoutFile_IsRefused()
    {
        Assert.Equal("inc", Assert.Throws<LoraNotFoundException>(() => Resolve(Request("<lora:inc:1>"))).Name);
        Assert.Throws<LoraTagException>(() => Resolve(Request("<lora:ink:x>")));
    }

    private ResolvedLoras Resolve(PictureRequest request) => LoraPrompts.Resolve(request, [_folder["."]]);

    private static PictureRequest Request(string prompt) => new() { Prompt = prompt };

    private static string Words(IReadOnlyList<PictureLora> loras) => string.Join(' ', loras.Select(
        lora => lora.Strength == 1 ? lora.Name : FormattableString.Invariant($"{lora.Name}:{lora.Strength}")));

    private static string Tokens(RequestPrompts prompts) => string.Join('|', prompts.Sets.SelectMany(set => set.Parts)
        .Select(part => string.Join(',', part.ClipL(0).ToArray())));
}
