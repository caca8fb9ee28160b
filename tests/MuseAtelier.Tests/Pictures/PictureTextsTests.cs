using System.Text.Json;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

public sealed class PictureTextsTests
{
    private const string SwarmUi = """
        {"sui_image_params":{"prompt":"a lake at dawn","negativeprompt":"fog","model":"OfficialStableDiffusion/sd_xl_base_1.0","seed":71,
        "steps":22,"cfgscale":6.5,
        "aspectratio":"Custom","width":896,"height":1152,"sampler":"euler_ancestral","scheduler":"karras","automaticvae":true,
        "loras":["mist"],"loraweights":["0.4"],
        "swarm_version":"0.9.6.0"},"sui_extra_data":{"date":"2026-01-01"}}
        """;

    private const string Fooocus = """
        {"adm_guidance":"(1.5, 0.8, 0.3)","base_model":"lakeXL_v8","base_model_hash":"aeb7e9e689","full_negative_prompt":["fog","blur"],
        "full_prompt":["a lake at dawn","cinematic light"],
        "guidance_scale":4,"loras":[["offset",0.1,"4852686128"]],"metadata_scheme":"fooocus","negative_prompt":"fog","performance":"Speed",
        "prompt":"a lake at dawn","refiner_model":"None",
        "resolution":"(1152, 896)","sampler":"dpmpp_2m_sde_gpu","scheduler":"karras","seed":"8127","sharpness":2,"steps":30,
        "styles":"['Cinematic']","vae":"Default (model)","version":"Fooocus v2.5.5"}
        """;

    private const string InvokeAi = """
        {"generation_mode":"sdxl_txt2img","positive_prompt":"a lake at dawn","negative_prompt":"fog","width":1184,"height":888,"seed":59,
        "rand_device":"cpu","cfg_scale":5.0,
        "cfg_rescale_multiplier":0.0,"steps":30,"scheduler":"euler_a","model":{"key":"k","hash":"blake3:00","name":"lakeXL","base":"sdxl",
        "type":"main"},
        "positive_style_prompt":"a lake at dawn","negative_style_prompt":"fog","seamless_x":false,"loras":[{"model":{"name":"mist"},
        "weight":0.5}],"app_version":"5.4.2"}
        """;

    private const string NovelAi = """
        {"prompt":"a lake at dawn","steps":28,"height":1216,"width":832,"scale":5.0,"uncond_scale":1.0,"cfg_rescale":0.2,"seed":381,
        "n_samples":1,"noise_schedule":"karras",
        "sampler":"k_euler_ancestral","sm":false,"uc":"fog","request_type":"PromptGenerateRequest","signed_hash":"x"}
        """;

    private const string DrawThings = """
        {"c":"a lake at dawn","uc":"fog","steps":24,"sampler":"Euler A Trailing","scale":7.5,"seed":42,"size":"1024x1536",
        "model":"lake_xl_f16.ckpt","strength":1,
        "seed_mode":"Nvidia GPU Compatible","shift":1,"v2":{"width":1024,"steps":24},"lora":[{"model":"mist.ckpt","weight":0.4}]}
        """;

    private const string StabilityMatrix = """
        {"PositivePrompt":"a lake at dawn","NegativePrompt":"fog","Steps":20,"Sampler":"Euler Ancestral","CfgScale":7,"Seed":91,
        "Height":1024,"Width":768,"ModelHash":"","ModelName":"lakeXL.safetensors"}
        """;

    private const string ComfyUi = """
        {"3":{"class_type":"KSampler","inputs":{"seed":["9",0],"steps":21,"cfg":6.0,"sampler_name":"euler_ancestral","scheduler":"karras",
        "denoise":1.0,"model":["8",0],"positive":["6",0],
        "negative":["7",0],"latent_image":["5",0]}},"4":{"class_type":"CheckpointLoaderSimple",
        "inputs":{"ckpt_name":"xl/lakeXL.safetensors"},"is_changed":[NaN]},
        "5":{"class_type":"EmptyLatentImage","inputs":{"width":832,"height":1216,"batch_size":1}},"6":{"class_type":"CLIPTextEncode",
        "inputs":{"text":["10",0],"clip":["4",1]}},
        "7":{"class_type":"CLIPTextEncode","inputs":{"text":"fog","clip":["4",1]}},"8":{"class_type":"LoraLoader",
        "inputs":{"lora_name":"mist.safetensors","model":["4",0],"clip":["4",1]}},
        "9":{"class_type":"PrimitiveInt","inputs":{"value":77}},"10":{"class_type":"PrimitiveString","inputs":{"value":"a lake at dawn"}}}
        """;

    private const string Packet = """
        <?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
        <xmp:CreatorTool>Draw Things</xmp:CreatorTool>
        <exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">JSON</rdf:li></rdf:Alt></exif:UserComment>
        </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>
        """;

    public static TheoryData<string, string, string, string> Known => new()
    {
        { "SwarmUI", "parameters", SwarmUi, "71 22 6.5 896x1152 Comfy Encoded Linspace karras sd_xl_base_1.0" },
        { "Fooocus", "parameters", Fooocus, "8127 30 4 1152x896 Comfy-GPU Encoded Linspace karras lakeXL_v8" },
        { "InvokeAI", "invokeai_metadata", InvokeAi, "59 30 5 1184x888 Diffusers Encoded Leading  lakeXL" },
        { "NovelAI", "Comment", NovelAi, "381 28 5 832x1216 A1111 Encoded Linspace karras " },
        { "Draw Things", "UserComment", DrawThings, "42 24 7.5 1024x1536 A1111 Encoded Trailing  lake_xl_f16" },
        { "Draw Things", "XML:com.adobe.xmp", Packet.Replace("JSON", DrawThings, StringComparison.Ordinal),
            "42 24 7.5 1024x1536 A1111 Encoded Trailing  lake_xl_f16" },
        { "Stability Matrix", "parameters-json", StabilityMatrix, "91 20 7 768x1024 Comfy Encoded Normal  lakeXL" },
        { "ComfyUI", "prompt", ComfyUi, "77 21 6 832x1216 Comfy Encoded Linspace karras lakeXL" },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Parse_OfAProgramsText_TakesItsSettings(string program, string keyword, string text, string expected)
    {
        PictureFileContent content = Content((keyword, text), ("Software", program == "NovelAI" ? "NovelAI" : ""));
        Assert.Equal(program, PictureTexts.Find(content)!.Program);
        ParsedParameters parsed = PictureTexts.Parse(content);
        PictureRequest request = parsed.Request;
        Assert.Equal(program, parsed.Program);
        Assert.StartsWith("a lake at dawn", request.Prompt, StringComparison.Ordinal);
        Assert.StartsWith("fog", request.NegativePrompt, StringComparison.Ordinal);
        FormattableString numbers = $"{request.Seed} {request.Steps} {request.GuidanceScale} {request.Width}x{request.Height}";
        string schedule = $"{request.Schedule.Spacing} {(request.Schedule.Karras ? "karras" : "")}";
        string sources = $"{request.NoiseSource} {request.EmptyNegative} {schedule}";
        string found = $"{FormattableString.Invariant(numbers)} {sources} {parsed.ModelName}";
        Assert.Equal(expected, found);
        Assert.True(parsed is { HasSeed: true, HasSize: true });
    }

    [Fact]
    public void Parse_OfAProgramsText_NamesWhatItCouldNotTake()
    {
        Assert.Equal(["loras: [\"mist\"]", "loraweights: [\"0.4\"]"], PictureTexts.Parse(Content(("parameters", SwarmUi))).NotTaken);
        Assert.Equal(
            ["adm_guidance: (1.5, 0.8, 0.3)", "loras: [[\"offset\",0.1,\"4852686128\"]]", "sharpness: 2"],
            PictureTexts.Parse(Content(("parameters", Fooocus))).NotTaken);
        Assert.Equal(SamplerName.Dpmpp2MSde, PictureTexts.Parse(Content(("parameters", Fooocus))).Request.Sampler);
        Assert.Equal("a lake at dawn, cinematic light", PictureTexts.Parse(Content(("parameters", Fooocus))).Request.Prompt);
        Assert.StartsWith("loras: ", Assert.Single(PictureTexts.Parse(Content(("invokeai_metadata", InvokeAi))).NotTaken),
            StringComparison.Ordinal);
        ParsedParameters novel = PictureTexts.Parse(Content(("Comment", NovelAi), ("Software", "NovelAI")));
        Assert.Empty(novel.NotTaken);
        Assert.Equal(0.2f, novel.Request.GuidanceRescale);
        Assert.StartsWith("lora: ", Assert.Single(PictureTexts.Parse(Content(("UserComment", DrawThings))).NotTaken),
            StringComparison.Ordinal);
        Assert.Equal(["LoraLoader: mist.safetensors"], PictureTexts.Parse(Content(("prompt", ComfyUi))).NotTaken);
        Assert.Empty(PictureTexts.Parse(Content(("parameters-json", StabilityMatrix))).NotTaken);
    }

    [Theory]
    [InlineData("workflow", """{"nodes":[{"id":1}],"links":[],"version":0.4}""", "ComfyUI")]
    [InlineData("prompt", """{"1":{"class_type":"SamplerCustom","inputs":{}}}""", "ComfyUI")]
    [InlineData("prompt", """{"1":{"class_type":"KSampler","inputs":{"latent_image":["1",0]}}}""", "ComfyUI")]
    [InlineData("sd-metadata", """{"model":"stable diffusion","image":{"prompt":"a lake"}}""", "InvokeAI")]
    [InlineData("Dream", "\"a lake\" -s 50 -S 12 -W 512 -H 512 -C 7.5 -A k_lms", "InvokeAI")]
    [InlineData("smproj", "{\"Version\":1}", "Stability Matrix")]
    [InlineData("Description", "a lake at dawn --ar 3:2 --v 6.1 Job ID: 1fd2ba77-0000", "Midjourney")]
    public void Parse_OfATextThatOnlyShows_SaysWhose(string keyword, string text, string program)
    {
        PictureFileContent content = Content((keyword, text));
        Assert.Equal(new PictureText(program, keyword, text), PictureTexts.Find(content));
        Assert.Equal(program, Assert.Throws<PictureTextUnpaintableException>(() => PictureTexts.Parse(content)).Program);
    }

    [Fact]
    public void Parse_OfSettingsUnderKeywordsOfTheirOwn_IsEasyDiffusions()
    {
        PictureFileContent content = Content(
            ("prompt", "a lake at dawn"), ("negative_prompt", "fog"), ("seed", "33"), ("use_stable_diffusion_model", "sdxl/lakeXL"),
                ("sampler_name", "euler_a"),
            ("width", "768"), ("height", "1024"), ("num_inference_steps", "25"), ("guidance_scale", "7.5"), ("clip_skip", "False"),
                ("use_lora_model", "None"));
        ParsedParameters parsed = PictureTexts.Parse(content);
        Assert.Equal(("Easy Diffusion", "lakeXL"), (parsed.Program, parsed.ModelName));
        Assert.Equal(("a lake at dawn", "fog", 33ul, 768, 1024, 25, 7.5f),
            (parsed.Request.Prompt, parsed.Request.NegativePrompt, parsed.Request.Seed, parsed.Request.Width, parsed.Request.Height,
                parsed.Request.Steps, parsed.Request.GuidanceScale));
        Assert.Empty(parsed.NotTaken);
    }

    [Theory]
    [InlineData("Version: v1.10.1", "AUTOMATIC1111", EmptyNegative.Zeros, "A1111")]
    [InlineData("Version: f2.0.1v1.10.1-previous-659-gc055f2d4", "Forge", EmptyNegative.Zeros, "A1111")]
    [InlineData("Version: stable-diffusion.cpp, RNG: cuda, Guidance: 3.5, Eta: 0.0", "stable-diffusion.cpp", EmptyNegative.Zeros,
        "A1111")]
    [InlineData("Version: stable-diffusion.cpp, RNG: cpu", "stable-diffusion.cpp", EmptyNegative.Zeros, "Diffusers")]
    [InlineData("Version: 1a2b3c4, Parser: Full parser, App: SD.Next", "SD.Next", EmptyNegative.Zeros, "A1111")]
    [InlineData("Version: ComfyUI", "ComfyUI", EmptyNegative.Encoded, "Comfy")]
    [InlineData("Version: Fooocus v2.5.5", "Fooocus", EmptyNegative.Encoded, "Comfy")]
    [InlineData("Version: MuseAtelier 0.1.0, RNG: CPU", "MuseAtelier", EmptyNegative.Encoded, "Diffusers")]
    [InlineData("Model hash: 0123456789", "AUTOMATIC1111", EmptyNegative.Zeros, "A1111")]
    public void Parse_OfAutomatic1111sForm_KnowsWhoWroteIt(string settings, string program, EmptyNegative negative, string noise)
    {
        ParsedParameters parsed = PictureTexts.Parse(
            Content(("parameters", $"a lake\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, {settings}")));
        Assert.Equal((program, negative, noise), (parsed.Program, parsed.Request.EmptyNegative, parsed.Request.NoiseSource.Id));
        Assert.Empty(parsed.NotTaken);
        // Fooocus changes ComfyUI's sampling, which is said of every picture.
        Assert.Equal(program == "Fooocus" ? 1 : 0, parsed.Notices.Count);
    }

    [Theory]
    [InlineData("v1.10.1", SamplingDialect.A1111, PromptSyntax.A1111)]
    [InlineData("f2.0.1v1.10.1-previous-659-gc055f2d4", SamplingDialect.A1111, PromptSyntax.A1111)]
    [InlineData("classic", SamplingDialect.A1111, PromptSyntax.A1111)]
    [InlineData("stable-diffusion.cpp", SamplingDialect.Comfy, PromptSyntax.A1111)]
    [InlineData("ComfyUI", SamplingDialect.Comfy, PromptSyntax.Comfy)]
    [InlineData("Fooocus v2.5.5", SamplingDialect.Comfy, PromptSyntax.Comfy)]
    [InlineData("MuseAtelier 0.1.0", SamplingDialect.Diffusers, PromptSyntax.Plain)]
    public void Parse_OfAProgramsText_TakesItsDialectAndSyntax(string version, SamplingDialect dialect, PromptSyntax syntax)
    {
        PictureRequest request = ParametersText.Parse(
            "a.png", $"a (lake)\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, Version: {version}").Request;
        Assert.Equal((dialect, syntax), (request.Dialect, request.PromptSyntax));
    }

    [Theory]
    [InlineData("Variation seed: 12, Variation seed strength: 0.3")]
    [InlineData("Eta: 0.5")]
    [InlineData("Emphasis: No norm")]
    [InlineData("Emphasis: None")]
    [InlineData("CFG Rescale: 0.7")]
    [InlineData("Skip Early CFG: 0.1")]
    [InlineData("Noise Schedule: Zero Terminal SNR")]
    [InlineData("Clip skip: 3")]
    [InlineData("Schedule type: SGM Uniform")]
    public void Parse_OfASettingOfForge_TakesItAlone(string setting)
    {
        const string text = "a lake\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, ";
        const string version = "Version: f2.0.1v1.10.1";
        PictureRequest usual = ParametersText.Parse("a.png", text + version).Request;
        PictureRequest expected = setting.Split(':')[0] switch
        {
            "Variation seed" => usual with { VariationSeed = 12, VariationStrength = 0.3f },
            "Eta" => usual with { Eta = 0.5f },
            "CFG Rescale" => usual with { GuidanceRescale = 0.7f },
            // Steps 0, 1 and 2 of 20 are at most a tenth.
            "Skip Early CFG" => usual with { GuidanceFrom = 0.15f },
            "Noise Schedule" => usual with { Prediction = ModelPrediction.VelocityZeroSnr },
            "Clip skip" => usual with { ClipSkip = 3 },
            "Schedule type" => usual with { Schedule = new NoiseSchedule { Spacing = TimestepSpacing.SgmUniform } },
            _ when setting.EndsWith("None", StringComparison.Ordinal) => usual with { PromptSyntax = PromptSyntax.Plain },
            _ => usual with { Emphasis = PromptEmphasis.NoNorm },
        };
        ParsedParameters parsed = ParametersText.Parse("a.png", text + setting + ", " + version);
        Assert.Equal(expected, parsed.Request);
        Assert.Empty(parsed.NotTaken);
    }

    [Theory]
    [InlineData("ENSD: 31337")]
    [InlineData("Sigma churn: 0.4")]
    [InlineData("Schedule max sigma: 10")]
    [InlineData("Discard penultimate sigma: True")]
    [InlineData("NGMS: 1.5")]
    [InlineData("Tiling: True")]
    [InlineData("Hires upscale: 2")]
    [InlineData("Eta: 7")]
    [InlineData("Variation seed strength: NaN")]
    [InlineData("CFG Rescale: -0.1")]
    [InlineData("Emphasis: Ignore")]
    public void Parse_OfASettingThatCannotBePainted_NamesIt(string setting)
    {
        const string text = "a lake\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, ";
        ParsedParameters parsed = ParametersText.Parse("a.png", text + setting);
        Assert.StartsWith(setting, Assert.Single(parsed.NotTaken), StringComparison.Ordinal);
        Assert.Equal(ParametersText.Parse("a.png", text).Request, parsed.Request);
    }

    [Theory]
    [InlineData("Euler a")]
    [InlineData("euler_a")]
    [InlineData("Euler A")]
    [InlineData("k_euler_a")]
    [InlineData("k_euler_ancestral")]
    [InlineData("euler_ancestral")]
    [InlineData("Euler Ancestral")]
    [InlineData("sample_k_euler_ancestral")]
    [InlineData("EulerAncestralDiscreteScheduler")]
    [InlineData("euler_a karras")]
    [InlineData("Euler a Karras")]
    [InlineData("euler_a discrete")]
    [InlineData("Euler A Trailing")]
    public void Parse_OfEulerAncestralInAnySpelling_TakesIt(string sampler)
    {
        ParsedParameters parsed = ParametersText.Parse("a.png",
            $"a lake\nSteps: 20, Sampler: {sampler}, CFG scale: 7, Seed: 5, Size: 512x512");
        Assert.Empty(parsed.NotTaken);
        Assert.Equal(SamplerName.EulerAncestral, parsed.Request.Sampler);
        Assert.Equal(sampler.EndsWith("karras", StringComparison.OrdinalIgnoreCase), parsed.Request.Schedule.Karras);
        Assert.Equal(sampler.EndsWith("Trailing", StringComparison.Ordinal), parsed.Request.Schedule.Spacing == TimestepSpacing.Trailing);
    }

    [Theory]
    [InlineData("Euler", "euler")]
    [InlineData("k_euler", "euler")]
    [InlineData("EulerDiscreteScheduler", "euler")]
    [InlineData("DPM++ 2M Karras", "dpmpp_2m")]
    [InlineData("dpmpp_2m", "dpmpp_2m")]
    [InlineData("k_dpmpp_2m", "dpmpp_2m")]
    [InlineData("Heun", "heun")]
    [InlineData("k_heun", "heun")]
    [InlineData("HeunDiscreteScheduler", "heun")]
    [InlineData("DPM2 Karras", "dpm_2")]
    [InlineData("k_dpm_2", "dpm_2")]
    [InlineData("KDPM2DiscreteScheduler", "dpm_2")]
    [InlineData("DPM2 a Karras", "dpm_2_ancestral")]
    [InlineData("dpm_2_ancestral", "dpm_2_ancestral")]
    [InlineData("k_dpm_2_a", "dpm_2_ancestral")]
    [InlineData("KDPM2AncestralDiscreteScheduler", "dpm_2_ancestral")]
    [InlineData("LMS Karras", "lms")]
    [InlineData("k_lms", "lms")]
    [InlineData("LMSDiscreteScheduler", "lms")]
    [InlineData("DPM++ 2S a Karras", "dpmpp_2s_ancestral")]
    [InlineData("dpmpp_2s_ancestral", "dpmpp_2s_ancestral")]
    [InlineData("dpm++2s_a", "dpmpp_2s_ancestral")]
    [InlineData("DDIM", "ddim")]
    [InlineData("DDIMScheduler", "ddim")]
    [InlineData("UniPC", "uni_pc")]
    [InlineData("LCM", "lcm")]
    [InlineData("TCD", "tcd")]
    public void Parse_OfAnotherSamplerOfThisLibrary_TakesIt(string sampler, string id)
    {
        ParsedParameters parsed = ParametersText.Parse("a.png",
            $"a lake\nSteps: 20, Sampler: {sampler}, CFG scale: 7, Seed: 5, Size: 512x512");
        Assert.Empty(parsed.NotTaken);
        Assert.Equal(id, parsed.Request.Sampler.Id);
    }

    // AUTOMATIC1111 and ComfyUI take the noise from a Brownian tree, as this library does with their sources; diffusers draws it otherwise.
    [Theory]
    [InlineData("DPM++ 2M SDE Karras", "dpmpp_2m_sde")]
    [InlineData("dpmpp_2m_sde", "dpmpp_2m_sde")]
    [InlineData("DPM++ 2M SDE Heun", "dpmpp_2m_sde_heun")]
    [InlineData("DPM++ 3M SDE Exponential", "dpmpp_3m_sde")]
    [InlineData("DPM++ SDE Karras", "dpmpp_sde")]
    public void Parse_OfASamplerWithABrownianTree_SaysWhereItsNoiseDiffers(string sampler, string id)
    {
        string text = $"a lake\nSteps: 20, Sampler: {sampler}, CFG scale: 7, Seed: 5, Size: 512x512";
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        Assert.Empty(parsed.NotTaken);
        Assert.Equal(id, parsed.Request.Sampler.Id);
        Assert.Empty(parsed.Notices);
        Assert.Empty(ParametersText.Parse("a.png", text + ", Version: ComfyUI").Notices);
        ParsedParameters next = ParametersText.Parse("a.png", text + ", App: SD.Next");
        Assert.Contains("other noise", Assert.Single(next.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DPM adaptive")]
    [InlineData("DPM fast")]
    [InlineData("euler_ancestral_cfg_pp")]
    [InlineData("Euler a2")]
    public void Parse_OfAnotherSampler_GivesANotice(string sampler) =>
        Assert.Contains("painted with Euler a",
            Assert.Single(ParametersText.Parse("a.png", $"a lake\nSteps: 20, Sampler: {sampler}, CFG scale: 7, Seed: 5, Size: 512x512")
                .NotTaken), StringComparison.Ordinal);

    // AUTOMATIC1111 takes no notice of it with SDXL; Forge, and all that count as it does, take 1 for 2.
    [Theory]
    [InlineData("1", false)]
    [InlineData("2", false)]
    [InlineData("-2", false)]
    [InlineData("3", true)]
    [InlineData("12", true)]
    [InlineData("many", true)]
    public void Parse_OfClipSkip_IsSilentOfSdxlsOwnAlone(string layers, bool isNamed) =>
        Assert.Equal(isNamed ? 1 : 0, ParametersText.Parse("a.png",
            $"a lake\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, Clip skip: {layers}")
                .NotTaken.Count(part => part.StartsWith("Clip skip", StringComparison.Ordinal)));

    [Theory]
    [InlineData("xl/lakeXL.safetensors", "lakeXL")]
    [InlineData(@"xl\lakeXL.ckpt", "lakeXL")]
    [InlineData("lakeXL_v1.0", "lakeXL_v1.0")]
    [InlineData(".safetensors", ".safetensors")]
    public void Parse_OfAModelsFile_TakesItsName(string model, string name) =>
        Assert.Equal(name, ParametersText.Parse("a.png", $"a lake\nSteps: 20, Model: {model}").ModelName);

    [Theory]
    [InlineData(832, 1216, 832, 1216, "the picture's own, 832x1216 px, is used")]
    [InlineData(1663, 2431, 1664, 2432, "1664x2432 px is used")]
    [InlineData(3326, 4862, 2800, 4096, "2800x4096 px is used")]
    [InlineData(833, 1217, 832, 1216, "832x1216 px is used")]
    [InlineData(64, 128, 256, 512, "256x512 px is used")]
    [InlineData(int.MaxValue, 1, 4096, 256, "4096x256 px is used")]
    public void Parse_OfATextWithoutSeedAndSize_TakesThePicturesSizeWithNotices(int width, int height, int takenWidth, int takenHeight,
        string notice)
    {
        var content = new PictureFileContent("a.png", PictureFormat.Png, width, height) { Parameters = "a lake\nSteps: 20" };
        ParsedParameters parsed = PictureTexts.Parse(content);
        Assert.Equal((takenWidth, takenHeight), (parsed.Request.Width, parsed.Request.Height));
        Assert.True(parsed is { HasSeed: false, HasSize: false });
        Assert.Contains(parsed.Notices, one => one.Contains(notice, StringComparison.Ordinal));
        Assert.Contains(parsed.Notices, one => one.Contains("guidance scale; 7 is used", StringComparison.Ordinal));
        Assert.Contains(parsed.Notices, one => one.Contains("no sampler", StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_OfATextWithoutSizeAndWithAFrameAround_TakesTheSizeWithin()
    {
        var frame = new PictureFrame(FrameStyle.Ebony, FramePlacement.Outside);
        (int width, int height) = frame.CanvasOf(640, 384);
        var content = new PictureFileContent("a.png", PictureFormat.Png, width, height)
        {
            Parameters = "a lake\nSteps: 20, Seed: 1, Frame: ebony outside",
        };
        Assert.Equal((640, 384), (PictureTexts.Parse(content).Request.Width, PictureTexts.Parse(content).Request.Height));
    }

    [Fact]
    public void Parse_OfAFileWithoutUsableText_Throws()
    {
        Assert.Null(PictureTexts.Find(Content(("Software", "GIMP"), ("Comment", "made by hand"))));
        Assert.Throws<PictureRecordMissingException>(() => PictureTexts.Parse(Content(("Software", "GIMP"))));
        Assert.Throws<ParametersTextException>(() => PictureTexts.Parse(Content(("parameters", "a lake"))));
        Assert.Throws<PictureTextTooLongException>(() => ParametersText.Parse("a.png", new string('x', ParametersText.Longest + 1)));
    }

    [Fact]
    public void Parse_OfAHostileGraph_EndsSoon()
    {
        string ring = "{" + string.Join(',',
            Enumerable.Range(0, 40_000).Select(i =>
                $"\"{i}\":{{\"class_type\":\"KSampler\",\"inputs\":{{\"latent_image\":[\"{(i + 1) % 40_000}\",0]}}}}")) + "}";
        Assert.Throws<PictureTextUnpaintableException>(() => PictureTexts.Parse(Content(("prompt", ring))));
        string deep = new string('[', 100_000);
        Assert.Null(PictureTexts.Find(Content(("prompt", deep), ("workflow", "{\"nodes\":" + deep), ("Comment", deep))));
        string nested = string.Concat(Enumerable.Repeat("<a>", 500_000));
        Assert.Null(PictureTexts.Find(Content(("XML:com.adobe.xmp", nested))));
        string many = JsonSerializer.Serialize(
            Enumerable.Range(0, 50_000).ToDictionary(i => i == 0 ? "positive_prompt" : $"m{i}", i => $"{i}"));
        Assert.InRange(PictureTexts.Parse(Content(("invokeai_metadata", many))).NotTaken.Count, 1, 50);
    }

    internal static IReadOnlyList<(string Keyword, string Text)> Samples =>
        [("parameters", SwarmUi), ("parameters", Fooocus), ("invokeai_metadata", InvokeAi), ("Comment", NovelAi),
            ("UserComment", DrawThings), ("parameters-json", StabilityMatrix),
                ("prompt", ComfyUi.Replace("NaN", "null", StringComparison.Ordinal))];

    internal static PictureFileContent Content(params (string Keyword, string Text)[] texts) => new("a.png", PictureFormat.Png, 512, 768)
    {
        Texts = texts.ToDictionary(text => text.Keyword, text => text.Text),
        Parameters = texts.FirstOrDefault(text => text.Keyword == "parameters").Text,
    };
}
