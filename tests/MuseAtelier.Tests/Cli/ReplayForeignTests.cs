using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Cli;

/// <summary><c>muse info</c> and <c>muse replay</c> of pictures that other programs wrote.</summary>
public sealed class ReplayForeignTests
{
    private const string Swarm =
        """{"sui_image_params":{"prompt":"sea (storm:1.2)","negativeprompt":"","model":"x/other","seed":9,"steps":1,"cfgscale":5,"""
        + """ "width":256,"height":256,"sampler":"euler_ancestral","loras":["mist"]}}""";

    [Fact]
    public async Task Replay_OfAutomatic1111sTextWithoutNegative_TakesZeros()
    {
        using var folder = new TemporaryFolder();
        string picture = Foreign(folder,
            ("parameters",
                "sea\nSteps: 1, Sampler: euler_a, CFG scale: 5, Seed: 9, Size: 256x256, Model: miniature.ckpt, Version: v1.1"));
        MuseResult result = await Muse.RunAsync("replay", picture, "--cache", Muse.Cache, "--out", folder["again.png"]);
        Assert.Equal(0, result.Code);
        Assert.Equal(EmptyNegative.Zeros, PictureFile.Read(folder["again.png"]).ReadRecord().Request.EmptyNegative);
        Assert.DoesNotContain("not taken over", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("painted with", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_OfATextWithoutSeedAndSize_DrawsASeedTakesThePicturesSizeAndPrintsBoth()
    {
        using var folder = new TemporaryFolder();
        string picture = Foreign(folder, ("parameters", "sea\nSteps: 1, Sampler: Euler a, CFG scale: 5"));
        MuseResult result = await Muse.RunAsync("replay", picture, "--cache", Muse.Cache, "--out", folder["again.png"]);
        Assert.Equal(0, result.Code);
        PictureRequest request = PictureFile.Read(folder["again.png"]).ReadRecord().Request;
        Assert.Equal((512, 512), (request.Width, request.Height));
        Assert.Contains("names no size; the picture's own, 512x512 px", result.Error, StringComparison.Ordinal);
        Assert.Contains($"names no seed; {request.Seed} was drawn", result.Error, StringComparison.Ordinal);
        MuseResult seeded = await Muse.RunAsync("replay", picture, "--cache", Muse.Cache, "--seed", "4", "--width", "256", "--height",
            "256", "--out", folder["seeded.png"]);
        Assert.DoesNotContain("was drawn", seeded.Error, StringComparison.Ordinal);
        Assert.Equal((4ul, 256), (PictureFile.Read(folder["seeded.png"]).ReadRecord().Request.Seed,
            PictureFile.Read(folder["seeded.png"]).ReadRecord().Request.Width));
    }

    [Fact]
    public async Task Replay_OfSwarmUisText_PaintsItAndNamesTheRestOnce()
    {
        using var folder = new TemporaryFolder();
        MuseResult result = await Muse.RunAsync("replay", Foreign(folder, ("parameters", Swarm)), "--cache", Muse.Cache, "--out",
            folder["again.png"]);
        Assert.Equal(0, result.Code);
        Assert.Contains("from the text of SwarmUI", result.Error, StringComparison.Ordinal);
        Assert.Contains("not taken over: loras: [\"mist\"]", result.Error, StringComparison.Ordinal);
        Assert.Contains("painted with other", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("storm", result.Error, StringComparison.Ordinal);
        PictureRequest request = PictureFile.Read(folder["again.png"]).ReadRecord().Request;
        Assert.Equal((9ul, NoiseSource.Comfy, EmptyNegative.Encoded), (request.Seed, request.NoiseSource, request.EmptyNegative));
        Assert.Equal((PromptSyntax.Comfy, SamplingDialect.Comfy), (request.PromptSyntax, request.Dialect));
    }

    [Fact]
    public async Task Info_OfAnotherProgramsPicture_SaysWhoseItIs()
    {
        using var folder = new TemporaryFolder();
        const string workflow = """{"nodes":[{"id":1}],"links":[]}""";
        JsonNode comfy = JsonNode.Parse((await Muse.RunAsync("info", Foreign(folder, ("workflow", workflow)), "--json")).Out)!;
        Assert.Equal(("ComfyUI", "workflow", workflow),
            (comfy["program"]!.GetValue<string>(), comfy["text"]!["keyword"]!.GetValue<string>(),
                comfy["text"]!["content"]!.GetValue<string>()));
        JsonNode swarm = JsonNode.Parse((await Muse.RunAsync("info", Foreign(folder, ("parameters", Swarm)), "--json")).Out)!;
        Assert.Equal(("SwarmUI", Swarm, null),
            (swarm["program"]!.GetValue<string>(), swarm["parameters"]!.GetValue<string>(), swarm["text"]));
        Assert.Equal(("euler_a", "comfy", 5), (swarm["replay"]!["request"]!["sampler"]!.GetValue<string>(),
            swarm["replay"]!["request"]!["dialect"]!.GetValue<string>(), swarm["replay"]!["request"]!["guidanceScale"]!.GetValue<int>()));
        Assert.Equal("loras: [\"mist\"]", swarm["replay"]!["notTakenOver"]![0]!.GetValue<string>());
        Assert.Null(comfy["replay"]);
        (await Muse.RunAsync("replay", Foreign(folder, ("workflow", workflow)), "--cache", Muse.Cache, "--out", folder["no.png"]))
            .AssertFailed(1, "ComfyUI", "muse render");
    }

    [Fact]
    public async Task Tokens_OfSyntax_SaysThatItIsPlainText()
    {
        using var folder = new TemporaryFolder();
        MuseResult one = await Muse.RunAsync("tokens", "a (storm:1.3) sea", "--prompt-syntax", "plain");
        Assert.Contains("notice: The prompt has", one.Error, StringComparison.Ordinal);
        MuseResult many = await Muse.RunAsync("tokens", "--prompt-syntax", "plain", "--file",
            folder.Write("prompts.jsonl", "\"sea\"\n\"a [storm] sea\"\n"u8.ToArray()));
        Assert.StartsWith("notice: line 2: The prompt has", many.Error, StringComparison.Ordinal);
        Assert.Empty((await Muse.RunAsync("tokens", "a storm")).Error);
        Assert.Empty((await Muse.RunAsync("tokens", "a (storm:1.3) [sea:lake:0.5]")).Error);
    }

    private static string Foreign(TemporaryFolder folder, params (string Keyword, string Text)[] texts)
    {
        byte[] png = File.ReadAllBytes(Path.Combine(Support.GoldenFiles.Folder, "starry-512.png"));
        return folder.Write("foreign.png", Encoded.Png(png, [.. texts.Select(text => PngChunk.Text(text.Keyword, text.Text))]));
    }
}
