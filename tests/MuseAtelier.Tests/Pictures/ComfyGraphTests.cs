using System.Text.Json.Nodes;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Graphs of ComfyUI with the nodes of which samplers, schedules, models and conditionings are composed.</summary>
public sealed class ComfyGraphTests
{
    private const string Usual = """
        "1":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"lakeXL.safetensors"}},
        "5":{"class_type":"EmptyLatentImage","inputs":{"width":832,"height":1216,"batch_size":1}},
        "6":{"class_type":"CLIPTextEncode","inputs":{"text":"a lake [sic]","clip":["1",1]}},
        "7":{"class_type":"CLIPTextEncode","inputs":{"text":"fog","clip":["1",1]}},
        "8":{"class_type":"CLIPTextEncode","inputs":{"text":"a boat","clip":["1",1]}}
        """;

    [Theory]
    [InlineData("""{"class_type":"KSamplerSelect","inputs":{"sampler_name":"heun"}}""", "heun", null, "")]
    [InlineData("""{"class_type":"SamplerEulerAncestral","inputs":{"eta":0.5,"s_noise":1.0}}""", "euler_a", 0.5f, "")]
    [InlineData("""{"class_type":"SamplerDPMPP_2M_SDE","inputs":{"solver_type":"heun","eta":1.0,"s_noise":1.1,"noise_device":"cpu"}}""",
        "dpmpp_2m_sde_heun", 1f, "SamplerDPMPP_2M_SDE s_noise: 1.1")]
    [InlineData("""{"class_type":"SamplerLMS","inputs":{"order":3}}""", "lms", null, "SamplerLMS order: 3")]
    [InlineData("""{"class_type":"SamplerOfSomeone","inputs":{}}""", "euler_a", null, "node SamplerOfSomeone (painted with Euler a)")]
    public void Parse_OfASamplersNode_TakesIt(string node, string sampler, float? eta, string left)
    {
        ParsedParameters parsed = Parse(Advanced(node, Basic("karras", 20)));
        Assert.Equal((sampler, eta), (parsed.Request.Sampler.Id, parsed.Request.Eta));
        Assert.Equal(left.Length == 0 ? [] : [left], parsed.NotTaken);
        Assert.Equal((9ul, 20, 4.5f), (parsed.Request.Seed, parsed.Request.Steps, parsed.Request.GuidanceScale));
        Assert.True(parsed.Request.Schedule.Karras);
    }

    [Theory]
    [InlineData("""{"class_type":"KarrasScheduler","inputs":{"steps":12,"sigma_max":14.614642,"sigma_min":0.0291675,"rho":7.0}}""",
        TimestepSpacing.Linspace, 12, "")]
    [InlineData("""{"class_type":"KarrasScheduler","inputs":{"steps":12,"sigma_max":10,"sigma_min":0.0291675,"rho":5}}""",
        TimestepSpacing.Linspace, 12,
        "KarrasScheduler sigma_max: 10 (painted with 14.614642)|KarrasScheduler rho: 5 (painted with 7)")]
    [InlineData("""{"class_type":"ExponentialScheduler","inputs":{"steps":8,"sigma_max":14.614642,"sigma_min":0.0291675}}""",
        TimestepSpacing.Exponential, 8, "")]
    [InlineData("""{"class_type":"AlignYourStepsScheduler","inputs":{"model_type":"SDXL","steps":10,"denoise":1.0}}""",
        TimestepSpacing.AlignYourSteps, 10, "")]
    [InlineData("""{"class_type":"BetaSamplingScheduler","inputs":{"steps":10,"alpha":0.5,"beta":0.6}}""",
        TimestepSpacing.Beta, 10, "BetaSamplingScheduler alpha: 0.5")]
    [InlineData("""{"class_type":"BasicScheduler","inputs":{"scheduler":"sgm_uniform","steps":6,"denoise":0.5}}""",
        TimestepSpacing.SgmUniform, 6, "BasicScheduler denoise: 0.5")]
    [InlineData("""{"class_type":"GITSScheduler","inputs":{"coeff":1.2,"steps":10}}""", TimestepSpacing.Normal, 10, "node GITSScheduler")]
    [InlineData("""{"class_type":"SplitSigmas","inputs":{"sigmas":["22",0],"step":4}}""", TimestepSpacing.Simple, 9, "node SplitSigmas")]
    public void Parse_OfASchedulesNode_TakesIt(string node, TimestepSpacing spacing, int steps, string left)
    {
        const string simple = """, "22":{"class_type":"BasicScheduler","inputs":{"scheduler":"simple","steps":9,"denoise":1.0}}""";
        ParsedParameters parsed = Parse(Advanced("""{"class_type":"KSamplerSelect","inputs":{"sampler_name":"euler"}}""", node) + simple);
        Assert.Equal((spacing, steps), (parsed.Request.Schedule.Spacing, parsed.Request.Steps));
        Assert.Equal(left.Length == 0 ? [] : left.Split('|'), parsed.NotTaken);
    }

    // Following every sampler to a node with very many inputs would take minutes.
    [Fact]
    public void Parse_OfThousandsOfSamplersAndInputs_IsRefusedAtOnce()
    {
        string inputs = string.Concat(Enumerable.Range(0, 50_000).Select(i => $",\"i{i}\":0"));
        string chain = """ "a":{"class_type":"RepeatLatentBatch","inputs":{"samples":["a",0]""" + inputs + "}}";
        string samplers = string.Concat(Enumerable.Range(0, 20_000).Select(i =>
            $",\"{i}\":" + """{"class_type":"KSampler","inputs":{"latent_image":["a",0]}}"""));
        long begin = System.Diagnostics.Stopwatch.GetTimestamp();
        PictureTextUnpaintableException exception = Assert.Throws<PictureTextUnpaintableException>(() =>
            Parse(chain + samplers));
        Assert.Contains("more than 64", exception.Message, StringComparison.Ordinal);
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("ModelSamplingDiscrete", "sampling: v_prediction, zsnr: false", ModelPrediction.Velocity, "")]
    [InlineData("ModelSamplingDiscrete", "sampling: v_prediction, zsnr: true", ModelPrediction.VelocityZeroSnr, "")]
    [InlineData("ModelSamplingDiscrete", "sampling: eps, zsnr: false", ModelPrediction.Epsilon, "")]
    [InlineData("ModelSamplingDiscrete", "sampling: x0, zsnr: false", ModelPrediction.Sample, "")]
    [InlineData("ModelSamplingDiscrete", "sampling: lcm, zsnr: false", ModelPrediction.Automatic, "ModelSamplingDiscrete: lcm")]
    [InlineData("ModelSamplingContinuousEDM", "sampling: edm_playground_v2.5, sigma_max: 80, sigma_min: 0.002", ModelPrediction.Edm, "")]
    [InlineData("ModelSamplingContinuousEDM", "sampling: v_prediction, sigma_max: 120, sigma_min: 0.002", ModelPrediction.VelocityEdm,
        "ModelSamplingContinuousEDM sigma_max: 120 (painted with 80)")]
    [InlineData("LoraLoader", "lora_name: mist, strength_model: 0, strength_clip: 0", ModelPrediction.Automatic, "")]
    [InlineData("LoraLoaderModelOnly", "lora_name: mist, strength_model: 0.5", ModelPrediction.Automatic,
        "LoraLoaderModelOnly: mist (0.5)")]
    [InlineData("FreeU_V2", "b1: 1.3", ModelPrediction.Automatic, "node FreeU_V2")]
    public void Parse_OfAModelsNode_TakesIt(string kind, string inputs, ModelPrediction prediction, string left)
    {
        var node = new JsonObject { ["model"] = new JsonArray("1", 0) };
        foreach (string input in inputs.Split(", "))
        {
            string[] parts = input.Split(": ");
            bool isWord = char.IsAsciiLetter(parts[1][0]) && parts[1] is not ("true" or "false");
            node[parts[0]] = isWord ? JsonValue.Create(parts[1]) : JsonNode.Parse(parts[1]);
        }

        ParsedParameters parsed = Parse(
            Sampler("2", "6", "7") + $", \"2\":{{\"class_type\":\"{kind}\",\"inputs\":{node.ToJsonString()}}}");
        Assert.Equal(prediction, parsed.Request.Prediction);
        Assert.Equal(left.Length == 0 ? [] : [left], parsed.NotTaken);
        Assert.Equal("lakeXL", parsed.ModelName);
    }

    [Fact]
    public void Parse_OfJoinedConditionings_WritesThemInAutomatic1111sSyntax()
    {
        string concat = Join("20", "ConditioningConcat", ("conditioning_to", "6"), ("conditioning_from", "8"));
        ParsedParameters one = Parse(Sampler("1", "20", "7") + concat);
        Assert.Equal(("a lake \\[sic\\] BREAK a boat", "fog"), (one.Request.Prompt, one.Request.NegativePrompt));
        Assert.Equal((PromptSyntax.A1111, 0), (one.Request.PromptSyntax, one.Request.CommaBacktrack));
        string combine = Join("21", "ConditioningCombine", ("conditioning_1", "20"), ("conditioning_2", "8"));
        ParsedParameters two = Parse(Sampler("1", "21", "7") + concat + combine);
        Assert.Equal("a lake \\[sic\\] BREAK a boat :0.5 AND a boat :0.5", two.Request.Prompt);
        ParsedParameters negative = Parse(Sampler("1", "6", "21") + concat + combine);
        Assert.Equal("a lake \\[sic\\] BREAK a boat", negative.Request.NegativePrompt);
        Assert.Contains("all parts of the negative prompt but the first one", negative.NotTaken);
        Assert.Equal(PromptSyntax.Comfy, Parse(Sampler("1", "6", "7")).Request.PromptSyntax);
    }

    // A node that leads to itself twice would double the text at every level.
    [Fact]
    public void Parse_OfConditioningsThatJoinThemselves_EndsSoon()
    {
        string ring = Join("20", "ConditioningConcat", ("conditioning_to", "20"), ("conditioning_from", "20"));
        Assert.Throws<PictureTextUnpaintableException>(() => Parse(Sampler("1", "20", "7") + ring));
        string tree = string.Concat(Enumerable.Range(100, 40).Select(i =>
            Join($"{i}", "ConditioningCombine", ("conditioning_1", $"{i + 1}"), ("conditioning_2", $"{i + 1}"))));
        Assert.Throws<PictureTextUnpaintableException>(() => Parse(Sampler("1", "100", "7") + tree));
    }

    [Theory]
    [InlineData(-2, 2, 0)]
    [InlineData(-3, 3, 0)]
    [InlineData(-12, 12, 0)]
    [InlineData(-1, 2, 1)]
    [InlineData(-24, 2, 1)]
    public void Parse_OfALastLayer_TakesTheLayersThatAreSdxls(int layer, int clipSkip, int left)
    {
        string graph = Sampler("1", "30", "7")
            + $", \"31\":{{\"class_type\":\"CLIPSetLastLayer\",\"inputs\":{{\"stop_at_clip_layer\":{layer},\"clip\":[\"1\",1]}}}}"
            + """, "30":{"class_type":"CLIPTextEncode","inputs":{"text":"a lake","clip":["32",1]}}"""
            + """, "32":{"class_type":"LoraLoader","inputs":{"lora_name":"mist","clip":["31",0]}}""";
        ParsedParameters parsed = Parse(graph);
        Assert.Equal((clipSkip, left), (parsed.Request.ClipSkip, parsed.NotTaken.Count));
    }

    [Fact]
    public void Parse_OfARepeatedLatentAndOfNoGuidance_TakesTheFirstPicture()
    {
        const string repeated = """, "40":{"class_type":"RepeatLatentBatch","inputs":{"amount":4,"samples":["5",0]}}""";
        string graph = Sampler("1", "6", "7").Replace("[\"5\",0]", "[\"40\",0]", StringComparison.Ordinal) + repeated;
        Assert.Equal(["node RepeatLatentBatch"], Parse(graph).NotTaken);
        string basic = Advanced("""{"class_type":"KSamplerSelect","inputs":{"sampler_name":"euler"}}""", Basic("simple", 4)).Replace(
            """{"class_type":"CFGGuider","inputs":{"cfg":4.5,"model":["1",0],"positive":["6",0],"negative":["7",0]}}""",
            """{"class_type":"BasicGuider","inputs":{"model":["1",0],"conditioning":["6",0]}}""",
            StringComparison.Ordinal);
        PictureRequest request = Parse(basic).Request;
        Assert.Equal((1f, "a lake [sic]", ""), (request.GuidanceScale, request.Prompt, request.NegativePrompt));
    }

    private static string Join(string id, string kind, (string Name, string Node) first, (string Name, string Node) second) =>
        $", \"{id}\":{{\"class_type\":\"{kind}\",\"inputs\":"
        + $"{{\"{first.Name}\":[\"{first.Node}\",0],\"{second.Name}\":[\"{second.Node}\",0]}}}}";

    private static string Basic(string scheduler, int steps) =>
        $"{{\"class_type\":\"BasicScheduler\",\"inputs\":{{\"scheduler\":\"{scheduler}\",\"steps\":{steps},\"denoise\":1.0}}}}";

    private static string Sampler(string model, string positive, string negative) => Usual
        + """, "3":{"class_type":"KSampler","inputs":{"seed":9,"steps":20,"cfg":4.5,"sampler_name":"euler","scheduler":"normal","""
        + $"\"denoise\":1,\"model\":[\"{model}\",0],\"positive\":[\"{positive}\",0],\"negative\":[\"{negative}\",0],"
        + """ "latent_image":["5",0]}}""";

    private static string Advanced(string sampler, string sigmas) => Usual
        + """, "9":{"class_type":"SamplerCustomAdvanced","inputs":{"noise":["10",0],"guider":["11",0],"sampler":["12",0],"""
        + """ "sigmas":["13",0],"latent_image":["5",0]}}, "10":{"class_type":"RandomNoise","inputs":{"noise_seed":9}}, "11":"""
        + """{"class_type":"CFGGuider","inputs":{"cfg":4.5,"model":["1",0],"positive":["6",0],"negative":["7",0]}}"""
        + $", \"12\":{sampler}, \"13\":{sigmas}";

    private static ParsedParameters Parse(string nodes) => PictureTexts.Parse(PictureTextsTests.Content(("prompt", $"{{{nodes}}}")));
}
