using MuseAtelier.Export.Loras;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>LoRAs that the texts of other programs name, and the files that they are found in.</summary>
public sealed class ForeignLoraTests : IDisposable
{
    private const string Graph = """
        {"1":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"lakeXL.safetensors"}},
        "2":{"class_type":"LoraLoader","inputs":{"lora_name":"a/ink.safetensors","strength_model":0.5,"strength_clip":0.25,
        "model":["1",0],"clip":["1",1]}},
        "3":{"class_type":"LoraLoaderModelOnly","inputs":{"lora_name":"mist.safetensors","strength_model":-1,"model":["2",0]}},
        "4":{"class_type":"LoraLoader","inputs":{"lora_name":"text.safetensors","strength_model":1,"strength_clip":0.75,
        "model":["1",0],"clip":["2",1]}},
        "5":{"class_type":"EmptyLatentImage","inputs":{"width":832,"height":1216,"batch_size":1}},
        "6":{"class_type":"CLIPTextEncode","inputs":{"text":"a lake","clip":["8",0]}},
        "7":{"class_type":"CLIPTextEncode","inputs":{"text":"fog","clip":["4",0]}},
        "8":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["4",0]}},
        "9":{"class_type":"KSampler","inputs":{"seed":1,"steps":20,"cfg":5,"sampler_name":"euler","scheduler":"normal","denoise":1.0,
        "model":["3",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}}}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The node nearest to the checkpoint is added first. The node 4 is on the way of the texts alone.
    [Fact]
    public void Parse_OfAComfyUiGraph_TakesTheLorasOnTheWayToTheSampler()
    {
        ParsedParameters parsed = Parse("prompt", Graph);
        Assert.Equal(
            [("a/ink", 0.5f, 0.25f), ("mist", -1f, 0f), ("text", 0f, 0.75f)],
            parsed.Loras.Select(lora => (lora.Name, lora.Strength, lora.TextStrength ?? lora.Strength)).Order());
        Assert.Equal("a/ink", parsed.Loras[0].Name);
        Assert.Equal(
            [
                "LoraLoader: a/ink.safetensors (0.5, text 0.25)", "LoraLoader: text.safetensors (text 0.75)",
                "LoraLoaderModelOnly: mist.safetensors (-1)",
            ],
            parsed.NotTaken.Order());
        Assert.Equal(parsed.NotTaken, parsed.NotTakenWithoutLoras);
    }

    [Fact]
    public void Parse_OfOtherPrograms_TakesTheirLoras()
    {
        ParsedLora swarm = Assert.Single(Parse("parameters", """
            {"sui_image_params":{"prompt":"a","steps":1,"loras":["x/mist"],"loraweights":["0.4"],"loratencweights":["0.1"]}}
            """).Loras);
        Assert.Equal(("x/mist", 0.4f, 0.1f), (swarm.Name, swarm.Strength, swarm.TextStrength));
        ParsedLora fooocus = Assert.Single(Parse("parameters", """
            {"base_model":"b","prompt":"a","loras":[["offset",0.1,"4852686128"]],"lora_combined_1":"offset : 0.1"}
            """).Loras);
        Assert.Equal(("offset", 0.1f, "4852686128"), (fooocus.Name, fooocus.Strength, fooocus.Hash));
        ParsedParameters combined = Parse("parameters", """
            {"base_model":"b","prompt":"a","lora_combined_1":"mist.safetensors : 0.5","lora_combined_2":"bad"}
            """);
        Assert.Equal("mist", Assert.Single(combined.Loras).Name);
        Assert.Equal(["lora_combined_1: mist.safetensors : 0.5", "lora_combined_2: bad"], combined.NotTaken.Order());
        Assert.Equal(["lora_combined_1: mist.safetensors : 0.5"], combined.NotTakenWithoutLoras);
        ParsedParameters invoke = Parse("invokeai_metadata", """
            {"positive_prompt":"a","loras":[{"model":{"name":"mist"},"weight":0.5},{"model":{"name":"far"},"weight":1e9},{"weight":1},7]}
            """);
        Assert.Equal(("mist", 0.5f), (Assert.Single(invoke.Loras).Name, invoke.Loras[0].Strength));
        Assert.Contains("LoRA: far", invoke.NotTaken);
    }

    [Fact]
    public void WithLoras_OfAutomatic1111sText_FindsFilesByNameAndDigest()
    {
        string ink = Lora("sub/ink", 1), other = Lora("other", 2);
        string content = LoraDigest.Of(ink, hasContent: true, TestContext.Current.CancellationToken).Content!;
        const string text = "<lora:ink:0.5:0.25>a lake\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 512x512, "
            + "Lora hashes: \"ink: HASH\"";
        ParsedParameters parsed = Parse("parameters", text.Replace("HASH", content[..12], StringComparison.Ordinal));
        Assert.Same(parsed, parsed.WithLoras([]));
        ParsedParameters found = parsed.WithLoras([_folder["."]]);
        PictureLora lora = Assert.Single(found.Request.Loras);
        Assert.Equal((Path.GetFullPath(ink), 0.25f, 0.5f), (Path.GetFullPath(lora.Path), lora.Strength, lora.TextStrength));
        Assert.Empty(found.NotTaken);
        Assert.Empty(found.Notices);

        ParsedParameters wrong = Parse("parameters", text.Replace("HASH", "ffffffffffff", StringComparison.Ordinal));
        Assert.Contains("another digest than the text names (ffffffffffff)", Assert.Single(wrong.WithLoras([_folder["."]]).Notices),
            StringComparison.Ordinal);
        ParsedParameters renamed = Parse("parameters", text.Replace("HASH", "abcdefabcdef", StringComparison.Ordinal)
            .Replace("lora:ink", "lora:gone", StringComparison.Ordinal).Replace("\"ink:", "\"gone:", StringComparison.Ordinal));
        Assert.Throws<LoraNotFoundException>(() => renamed.WithLoras([_folder["."]]));
        Lora("stated", 3, "ABCDEFABCDEF0123");
        Assert.Equal("stated", Path.GetFileNameWithoutExtension(Assert.Single(renamed.WithLoras([_folder["."]]).Request.Loras).Path));
        Assert.NotEqual(ink, other);
    }

    [Fact]
    public void Of_AFilesDigests_CoversTheContentWithoutTheHeader()
    {
        byte[] content = [1, 2, 3, 4, 5];
        byte[] header = [15, 0, 0, 0, 0, 0, 0, 0, .. "{\"a\":\"bcdefgh\"}"u8];
        string path = _folder.Write("x.safetensors", [.. header, .. content]);
        var digest = LoraDigest.Of(path, hasContent: true, TestContext.Current.CancellationToken);
        Assert.Equal(Format.Sha256.Hash([.. header, .. content]), digest.File);
        Assert.Equal(Format.Sha256.Hash(content), digest.Content);
        Assert.Equal(digest.Content![..12], digest.ShortOf(null));
        Assert.Equal("abcdefabcdef", digest.ShortOf("ABCDEFABCDEF99"));
        Assert.Equal(digest.Content[..12], digest.ShortOf("not a digest"));
        Assert.Null(LoraDigest.Of(path, hasContent: false, TestContext.Current.CancellationToken).Content);
        Assert.Null(LoraDigest.Of(_folder.Write("y.pt", [80, 75, 3, 4]), hasContent: true, TestContext.Current.CancellationToken).Content);
    }

    private static ParsedParameters Parse(string keyword, string text) =>
        PictureTexts.Parse(PictureTextsTests.Content((keyword, text)));

    private string Lora(string name, float number, string? stated = null)
    {
        string path = _folder[name + ".safetensors"];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var file = new RawCheckpoint();
        file.SetHalves("lora_unet_x.alpha", [number], []);
        if (stated is not null) file.Metadata["sshs_model_hash"] = stated;
        return file.Write(path);
    }
}
