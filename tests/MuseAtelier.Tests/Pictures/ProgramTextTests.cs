using MuseAtelier.Pictures;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>
/// Real texts of other programs: what is painted, in the form in which this project writes it, and what is left.
/// </summary>
public sealed class ProgramTextTests
{
    private const string Comfy = "Noise source: comfy, Dialect: comfy, Prompt syntax: comfy";
    private const string Zeros = "Prompt syntax: a1111, Empty negative: zeros";

    /// <summary>File, program, keyword, settings, and what is not taken over.</summary>
    public static TheoryData<string, string, string, string[]> Texts => new()
    {
        {
            "a1111-1.txt", "AUTOMATIC1111",
            "Steps: 30, Sampler: Euler a, Schedule type: Karras, CFG scale: 6.5, Seed: 2921279476, Size: 888x1184, "
                + $"Model: jibMixRealisticXL_v180SkinSupreme, RNG: NV, Dialect: a1111, {Zeros}",
            [
                "Sampler: DPM++ 3M (painted with Euler a)", "VAE: sdxl-vae-fp16-fix.safetensors",
                "Lora hashes: CosmicStyleSDXL: ccfe5cfff7, TrendCraft_The_Peoples_Style_Detailer-v2.3I-4_15_2025-SDXL: cb53ea89e2, "
                    + "add-detail-xl: 0d9bd1b873",
            ]
        },
        {
            "a1111-2.txt", "AUTOMATIC1111",
            "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 3889555578, Size: 512x768, "
                + "Model: Anything-v4.5-pruned-mergedVae, RNG: NV, Variation seed: 906100265, Variation seed strength: 0.2, "
                + $"Dialect: a1111, {Zeros}",
            ["Lora hashes: elf-pc-98: d58a91222a4e", "TI hashes: easynegative: c74b4e810b03"]
        },
        {
            "forge-1.txt", "Forge",
            "Steps: 25, Sampler: Euler a, Schedule type: Normal, CFG scale: 5, Seed: 1529354297, Size: 832x1200, "
                + $"Model: ponyDiffusionV6XL_v6StartWithThisOne, RNG: NV, Emphasis: No norm, Dialect: a1111, {Zeros}",
            [
                "VAE: sdxl_vae.safetensors", "Denoising strength: 0.4", "Hires upscale: 1.5", "Hires steps: 14",
                "Hires upscaler: 4x-UltraSharp", "Lora hashes: Alien_Concept_Art: fbfb35629d0a, xl_more_art-full_v1: fe3b4816be83",
            ]
        },
        {
            "forge-2.txt", "Forge",
            "Steps: 24, Sampler: Euler a, Schedule type: Automatic, CFG scale: 3.5, Seed: 1, Size: 832x1216, "
                + $"Model: waiNSFWIllustrious_v130, RNG: CPU, Timestep spacing: automatic, Dialect: a1111, {Zeros}",
            ["Lora hashes: illustriousXL_stabilizer_v1.3: 499ac92037ea, touching_grass_v0.2: 75cf389d6c6b"]
        },
        {
            "comfyui-1.json", "ComfyUI",
            "Steps: 4, Sampler: DPM++ 2M SDE, Schedule type: Normal, CFG scale: 1, Seed: 2, Size: 512x512, "
                + "Model: sd_xl_turbo_1.0_fp16, Noise source: comfy, Timesteps: 999 899 799 699, Dialect: comfy, Prompt syntax: comfy",
            []
        },
        {
            "comfyui-2.json", "ComfyUI",
            "Steps: 27, Sampler: Euler a, Schedule type: Normal, CFG scale: 5, Seed: 2731998215523047, Size: 1216x832, "
                + "Model: noobaiXLNAIXL_vPred10Version, Noise source: comfy, Noise Schedule: Zero Terminal SNR, CFG Rescale: 0.6, "
                + "Dialect: comfy, Prediction: velocity_zero_snr, Prompt syntax: comfy",
            ["LoraLoader: Elena_Kimberlite_(Character)_ILXL.safetensors (1, text 1)"]
        },
        {
            "comfyui-3.json", "ComfyUI",
            "Steps: 30, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 7.5, Seed: 1079942137815944, Size: 1024x1024, "
                + $"Model: dreamshaperXL10_alpha2Xl10, {Comfy}, Original size: 4096x4096, Crop: 0x0, Target size: 4096x4096",
            [
                "further KSampler nodes, which repaint the picture of the first one", "batch_size: 4 (painted as the first picture)",
                "the negative prompt's own size conditioning", "LoraLoader: sd_xl_offset_example-lora_1.0.safetensors (0.75, text 1)",
            ]
        },
        {
            "invokeai-1.json", "InvokeAI",
            "Steps: 30, Sampler: DPM++ 2M SDE, Schedule type: Automatic, CFG scale: 5, Seed: 591741300, Size: 1184x888, "
                + "Model: lakeSDXL_endgame, RNG: CPU, Timestep spacing: leading, Prompt syntax: comfy",
            []
        },
        {
            "invokeai-2.json", "InvokeAI",
            "Steps: 35, Sampler: Euler, Schedule type: Automatic, CFG scale: 8, Seed: 3293022630, Size: 1024x1024, "
                + "Model: juggernautXL, RNG: CPU, Timestep spacing: leading, Prompt syntax: comfy",
            ["vae: VAEFix", "ipAdapters: [{\"image\":{\"image_name\""]
        },
        {
            "fooocus-1.json", "Fooocus",
            $"Steps: 30, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 4, Seed: 127589946317439009, Size: 512x512, "
                + $"Model: juggernautXL_v8Rundiffusion, {Comfy}",
            ["adm_guidance: (1.5, 0.8, 0.3)", "loras: [", "sharpness: 2"]
        },
        {
            "fooocus-2.txt", "Fooocus",
            $"Steps: 30, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 4, Seed: 127589946317439009, Size: 512x512, "
                + $"Model: juggernautXL_v8Rundiffusion, {Comfy}",
            [
                "Sharpness: 2", "ADM Guidance: (1.5, 0.8, 0.3)", "Lora hashes: sd_xl_offset_example-lora_1.0: 4852686128",
                "Lora weights: sd_xl_offset_example-lora_1.0: 0.1",
            ]
        },
        {
            "swarmui-1.json", "SwarmUI",
            "Steps: 26, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 5.5, Seed: 1173334047, Size: 832x1216, "
                + $"Model: Prefect_illustrious_XL_-_v1-0, {Comfy}",
            [
                "refinercontrolpercentage: 0.2", "refinersteps: 40", "refinermethod: PostApply", "refinerupscale: 2",
                "refinerupscalemethod: pixel-lanczos", "loras: [", "loraweights: [",
            ]
        },
        {
            "swarmui-2.json", "SwarmUI",
            "Steps: 50, Sampler: DPM++ 3M SDE, Schedule type: Karras, CFG scale: 7, Seed: 2138144307, Size: 1344x1344, "
                + $"Model: Indigo_Furry_Mix_XL_-_realistic_beta, {Comfy}",
            ["loras: [", "loraweights: ["]
        },
        {
            "drawthings-1.json", "Draw Things",
            "Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 42, Size: 1024x1024, Model: sd_xl_base, "
                + "RNG: NV, Prompt syntax: a1111",
            ["refiner: sd_xl_refiner.ckpt", "refiner_start: 0.85", "lora: ["]
        },
        {
            "drawthings-2.json", "Draw Things",
            "Steps: 12, Sampler: DDIM, Schedule type: Automatic, CFG scale: 4.5, Seed: 777, Size: 1024x1024, Model: sdxl_base, "
                + "RNG: NV, Timestep spacing: trailing, Prompt syntax: a1111, Original size: 4096x3072, Crop: 0x0, "
                + "Target size: 1152x896",
            ["hires_fix: true", "first_stage_size: 640x640", "second_stage_strength: 0.6", "lora: ["]
        },
    };

    // A card's tree is a noise source of its own where the library has one.
    [Theory]
    [MemberData(nameof(Texts))]
    public void Parse_OfARealText_TakesOverWhatCanBePaintedAndNamesTheRest(string file, string program, string settings, string[] left)
    {
        ParsedParameters parsed = PictureTexts.Parse(Content(file));
        Assert.Equal(program, parsed.Program);
        string written = ParametersText.Write(parsed.Request, parsed.ModelName ?? "none", "", "1");
        string line = written.Split('\n')[^1].Replace("comfy-gpu", "comfy", StringComparison.Ordinal);
        Assert.Equal($"{settings}, Version: 1", line);
        Assert.Equal(left.Length, parsed.NotTaken.Count);
        for (int i = 0; i < left.Length; i++) Assert.StartsWith(left[i], parsed.NotTaken[i], StringComparison.Ordinal);
        Assert.True(parsed is { HasSeed: true, HasSize: true });
        // What was read can be painted.
        PictureRequestException.ThrowIfUnpaintable(parsed.Request);
    }

    [Theory]
    [InlineData("invokeai-2.json", "an orchard in bloom, (oil painting:1.2)", "(grainy:1.1), photo, (noisy:1.21)")]
    [InlineData("fooocus-1.json", "cinematic still A sunflower field . film grain, A sunflower field, highly detailed",
        "(blur:1.4), watermark, anime")]
    [InlineData("swarmui-1.json", "a fire on the beach,\nsparks, volumetric light", "sketch, (bad)")]
    [InlineData("comfyui-2.json", "a quiet harbour at night, (lanterns:1.2)", "signature, watermark")]
    public void Parse_OfARealText_TakesItsPrompts(string file, string prompt, string negative)
    {
        PictureRequest request = PictureTexts.Parse(Content(file)).Request;
        Assert.Equal((prompt, negative), (request.Prompt, request.NegativePrompt));
    }

    // What differs in every picture of a program is said once.
    [Theory]
    [InlineData("a1111-2.txt", 0, "")]
    [InlineData("forge-2.txt", 0, "")]
    [InlineData("comfyui-1.json", 0, "")]
    [InlineData("comfyui-2.json", 0, "")]
    [InlineData("fooocus-2.txt", 1, "Fooocus changes ComfyUI's sampling")]
    [InlineData("invokeai-2.json", 2, "InvokeAI's weights")]
    [InlineData("drawthings-1.json", 1, "random numbers of its own")]
    [InlineData("drawthings-2.json", 0, "")]
    public void Parse_OfARealText_SaysWhatDiffers(string file, int notices, string words)
    {
        ParsedParameters parsed = PictureTexts.Parse(Content(file));
        Assert.Equal(notices, parsed.Notices.Count);
        Assert.Contains(words, string.Join(' ', parsed.Notices), StringComparison.Ordinal);
    }

    private static PictureFileContent Content(string file)
    {
        string text = File.ReadAllText(Path.Combine(GoldenFiles.Folder, "texts", file)).TrimEnd();
        return PictureTextsTests.Content((KeywordOf(file), text));
    }

    /// <summary>The keyword under which a program of a file of these texts writes.</summary>
    internal static string KeywordOf(string file) => file.Split('-')[0] switch
    {
        "comfyui" => "prompt",
        "invokeai" => "invokeai_metadata",
        "drawthings" => "UserComment",
        _ => "parameters",
    };
}
