using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Graphs of ComfyUI that paint from a file, or paint enlarged latents again.</summary>
public sealed class ComfyPassTests
{
    private const string Usual = """
        "1":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"lakeXL.safetensors"}},
        "5":{"class_type":"EmptyLatentImage","inputs":{"width":832,"height":1216,"batch_size":1}},
        "6":{"class_type":"CLIPTextEncode","inputs":{"text":"a lake","clip":["1",1]}},
        "7":{"class_type":"CLIPTextEncode","inputs":{"text":"fog","clip":["1",1]}},
        "8":{"class_type":"CLIPTextEncode","inputs":{"text":"a lake, sharp","clip":["1",1]}},
        "10":{"class_type":"LoadImage","inputs":{"image":"photo.png"}},
        "11":{"class_type":"VAEEncode","inputs":{"pixels":["10",0],"vae":["1",2]}},
        "12":{"class_type":"LatentUpscaleBy","inputs":{"upscale_method":"bicubic","scale_by":1.5,"samples":["3",0]}},
        "13":{"class_type":"LatentUpscale","inputs":{"upscale_method":"bislerp","width":1664,"height":2432,"samples":["3",0]}},
        "14":{"class_type":"LatentUpscale","inputs":{"upscale_method":"bilinear","width":1664,"height":1664,"samples":["3",0]}},
        "15":{"class_type":"SetLatentNoiseMask","inputs":{"samples":["11",0],"mask":["16",0]}},
        "16":{"class_type":"LoadImageMask","inputs":{"image":"mask.png","channel":"alpha"}}
        """;

    [Fact]
    public void Parse_OfAnEncodedFile_KeepsItsStrengthForASource()
    {
        ParsedParameters parsed = Parse(Sampler("3", "11", "6", 0.55f));
        Assert.Equal(["LoadImage: photo.png", "denoise: 0.55"], parsed.NotTaken);
        Assert.Equal(parsed.NotTaken, parsed.Source!.NotTaken);
        Assert.Equal((0.55f, false), (parsed.Source.Strength, parsed.HasSize));
        Assert.Equal(("a lake", 20, SamplingDialect.Comfy), (parsed.Request.Prompt, parsed.Request.Steps, parsed.Request.Dialect));
    }

    [Fact]
    public void Parse_OfAMaskOfTheLatents_SoftensNothing()
    {
        ParsedParameters parsed = Parse(Sampler("3", "15", "6", 1));
        Assert.Equal((0, false), (parsed.Source!.MaskBlur, parsed.Source.PasteBack));
        Assert.Contains("SetLatentNoiseMask: mask.png", parsed.Source.NotTaken);
    }

    [Fact]
    public void Parse_OfEnlargedLatents_IsASecondPass()
    {
        ParsedParameters parsed = Parse(Sampler("3", "5", "6", 1) + "," + Sampler("4", "12", "8", 0.4f));
        Assert.Empty(parsed.NotTaken);
        var expected = new HiresPass
        {
            Scale = 1.5f,
            Strength = 0.4f,
            Steps = 20,
            Upscaler = HiresUpscaler.LatentBicubic,
            Prompt = "a lake, sharp",
        };
        Assert.Equal(expected, parsed.Request.Hires);
    }

    [Fact]
    public void Parse_OfASizeOfTheSecondPass_IsAFactor()
    {
        ParsedParameters parsed = Parse(Sampler("3", "5", "6", 1) + "," + Sampler("4", "13", "6", 0.4f));
        Assert.Equal((2f, null), (parsed.Request.Hires!.Scale, parsed.Request.Hires.Prompt));
        Assert.Equal(["upscale_method: bislerp (enlarged with latent)"], parsed.NotTaken);
    }

    [Fact]
    public void Parse_OfASecondPassOfAnotherShape_NamesIt()
    {
        ParsedParameters parsed = Parse(Sampler("3", "5", "6", 1) + "," + Sampler("4", "14", "6", 0.4f));
        Assert.Null(parsed.Request.Hires);
        Assert.Equal(["further KSampler nodes, which repaint the picture of the first one"], parsed.NotTaken);
    }

    private static string Sampler(string id, string latent, string positive, float denoise) => FormattableString.Invariant(
        $$$"""
        "{{{id}}}":{"class_type":"KSampler","inputs":{"seed":9,"steps":20,"cfg":4.5,"sampler_name":"euler","scheduler":"normal",
        "denoise":{{{denoise}}},"model":["1",0],"positive":["{{{positive}}}",0],"negative":["7",0],"latent_image":["{{{latent}}}",0]}}
        """);

    private static ParsedParameters Parse(string nodes) =>
        PictureTexts.Parse(PictureTextsTests.Content(("prompt", $"{{{Usual},{nodes}}}")));
}
