using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Pictures;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Planning;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>Comments in prompts, which are recorded and not read.</summary>
public sealed class PromptCommentsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Folder => _folder[""].TrimEnd(Path.DirectorySeparatorChar);

    public void Dispose() => _folder.Dispose();

    // Made with the two regular expressions of modules/processing_scripts/comments.py.
    [Theory]
    [InlineData("a lake", "a lake")]
    [InlineData("#all of it", "\n")]
    [InlineData("a lake # at night", "a lake \n")]
    [InlineData("a#b\nc#d\n", "a\nc\n")]
    [InlineData("#a\nb", "\nb")]
    [InlineData("a\n#b\nc", "a\nc")]
    [InlineData("a\n#b\n#c\n#d\ne", "a\n\ne")]
    [InlineData("a#b\n#c\nd", "a\nd")]
    [InlineData("a\\#b\r\n##c", "a\\\n")]
    public void Strip_InAutomatic1111_LeavesWhatItsExpressionsLeave(string prompt, string read)
    {
        Assert.Equal(read, PromptComments.Strip(prompt, PromptSyntax.A1111));
        Assert.Equal(prompt, PromptComments.Strip(prompt, PromptSyntax.Comfy));
        Assert.Equal(prompt, PromptComments.Strip(prompt, PromptSyntax.Plain));
    }

    // Made with the regular expression of ComfyUI's page.
    [Theory]
    [InlineData("a lake / b", "a lake / b")]
    [InlineData("a // b\nc//", "a \nc")]
    [InlineData("a /* b\n// c */ d", "a  d")]
    [InlineData("a /*/ b */ c", "a  c")]
    [InlineData("a // b */ c /* d", "a ")]
    [InlineData("a /* b // c\nd /* e", "a /* b \nd /* e")]
    [InlineData("/ /**// b", "/ / b")]
    public void Strip_InComfyUi_LeavesWhatItsPageSends(string prompt, string read)
    {
        Assert.Equal(read, PromptComments.Strip(prompt, PromptSyntax.Comfy));
        Assert.Equal(prompt, PromptComments.Strip(prompt, PromptSyntax.A1111));
        Assert.Equal(prompt, PromptComments.Strip(prompt, PromptSyntax.Plain));
    }

    [Fact]
    public void Strip_OfManyOpenings_TakesLinearTime()
    {
        string open = string.Concat(Enumerable.Repeat("/* ", 1 << 20));
        Assert.Equal(open, PromptComments.Strip(open, PromptSyntax.Comfy));
        Assert.Equal("\n", PromptComments.Strip(new string('#', 1 << 20), PromptSyntax.A1111));
    }

    [Fact]
    public void Of_APromptWithComments_ReadsBothPromptsWithoutThem()
    {
        var plain = new PictureRequest { Prompt = "a [lake:sea:0.5]\nAND a boat :2", NegativePrompt = "rain", Steps = 4 };
        PictureRequest commented = plain with
        {
            Prompt = "#(a: AND\na [lake:sea:0.5] # [a|b\nAND a boat :2 # <lora:ink:1>",
            NegativePrompt = "rain # AND {fog}",
        };
        var expected = RequestPrompts.Of(plain);
        var found = RequestPrompts.Of(commented);
        Assert.Equal(expected.Sets.SelectMany(set => set.Parts), found.Sets.SelectMany(set => set.Parts));
        Assert.Equal(expected.Sets[0].Negative, found.Sets[0].Negative);
        Assert.Equal(expected.Weights, found.Weights);
        Assert.Equal(expected.Notices, found.Notices);
        Assert.Null(PromptSyntaxNotice.Of(commented.NegativePrompt));
        var text = RequestPrompts.Of(commented with { PromptSyntax = PromptSyntax.Plain });
        Assert.NotEqual(expected.Sets[0].Negative, text.Sets[0].Negative);
    }

    [Fact]
    public void Resolve_OfATagInAComment_NamesNoLora()
    {
        _folder.Write("ink.safetensors", []);
        var request = new PictureRequest { Prompt = "a <lora:ink:0.5> lake # <lora:none:1>" };
        PictureRequest resolved = LoraPrompts.Resolve(request, [Folder]).Request;
        Assert.Equal(_folder["ink.safetensors"], Assert.Single(resolved.Loras).Path);
        Assert.Equal(request.Prompt, resolved.Prompt);
        Assert.Equal("a  lake \n", LoraTags.TextOf(resolved));
    }

    [Fact]
    public void Write_OfTheParameters_LeavesCommentsOut()
    {
        var ink = new PictureLora { Path = "ink.safetensors" };
        var request = new PictureRequest
        {
            Prompt = "a lake # at night",
            NegativePrompt = "#rain\nfog",
            Loras = [ink],
            Hires = new HiresPass { Prompt = "a sea # by day" },
        };
        string text = ParametersText.Write(request, "model", new string('0', 64), "MuseAtelier");
        Assert.StartsWith("a lake \n<lora:ink:1>\nNegative prompt: \nfog\nSteps:", text, StringComparison.Ordinal);
        Assert.Contains("Hires prompt: \"a sea \\n<lora:ink:1>\"", text, StringComparison.Ordinal);
        ParsedParameters read = ParametersText.Parse("picture.png", text);
        Assert.Equal([("ink", false), ("ink", true)], read.Loras.Select(lora => (lora.Name, lora.IsOfSecondPass)));
    }

    [Fact]
    public async Task Count_OfAPrompt_CountsNoComments()
    {
        AtelierOptions atelier = TestAtelier.Options with { LoraFolders = [Folder] };
        var catalog = new LoraCatalog(new ServerOptions { Models = [], Atelier = atelier, Gallery = Folder });
        TokenCounts counts = await TokenCounter.CountAsync(
            "lake # <lora:none:1>", "fog # rain", PromptSyntax.A1111, catalog, EmbeddingFolder.None, TestContext.Current.CancellationToken);
        Assert.Equal((1, 1), (counts.Prompt.Tokens, counts.NegativePrompt.Tokens));
        Assert.Empty(counts.Prompt.Notices);
    }
}
