using System.Text;
using MuseAtelier.Pictures;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damaged generation parameters, the texts in which programs record how they made a picture.</summary>
internal sealed class ParametersTarget : FuzzTarget
{
    private const string Prompts = "a lake, (fog:1.2), 夜\nNegative prompt: blur\n";
    private const string Settings = "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7.5, Seed: 12, Size: 512x768, RNG: NV";
    private const string Further =
        ", Clip skip: 2, Model: \"a, b\", Hashes: {\"model\": \"01\"}, Crop: 1x2, Frame: ebony outside, Version: v1";

    private const string Graph =
        """
        {
          "3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "cfg": 7, "sampler_name": "euler_ancestral",
            "scheduler": "normal", "denoise": 1, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
          "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
          "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
          "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lake", "clip": ["4", 1]}},
          "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["4", 1]}}
        }
        """;
    private const string Swarm =
        """
        {
          "sui_image_params": {
            "prompt": "a lake",
            "negativeprompt": "fog",
            "model": "a",
            "seed": 5,
            "steps": 20,
            "cfgscale": 7,
            "width": 512,
            "height": 768,
            "sampler": "euler_ancestral",
            "scheduler": "karras"
          }
        }
        """;
    private const string Invoke =
        """
        {
          "generation_mode": "sdxl_txt2img",
          "positive_prompt": "a lake",
          "negative_prompt": "fog",
          "seed": 5,
          "steps": 20,
          "cfg_scale": 7,
          "width": 512,
          "height": 768,
          "scheduler": "euler_a",
          "model": {
            "name": "a",
            "hash": "b"
          }
        }
        """;

    private static readonly (string Keyword, string Text)[] Samples =
    [
        ("parameters", Prompts + Settings + Further),
        ("prompt", Graph),
        ("parameters", Swarm),
        ("invokeai_metadata", Invoke),
    ];

    private (string Keyword, string Text) _input;

    public override byte[] Prepare(Random random, int index)
    {
        (string keyword, string text) = Samples[random.Next(Samples.Length)];
        bool isJson = text.StartsWith('{');
        string damaged =
            index == 0 ? text
            : isJson && random.Next(3) > 0 ? Encoding.UTF8.GetString(JsonFuzz.Damage(random, Encoding.UTF8.GetBytes(text)))
            : TextFuzz.Damage(random, text);
        _input = (keyword, damaged);
        return Encoding.UTF8.GetBytes(damaged);
    }

    public override void Read()
    {
        (string keyword, string text) = _input;
        var content = new PictureFileContent("a.png", PictureFormat.Png, 512, 768)
        {
            Parameters = keyword == "parameters" ? text : null,
            Texts = new Dictionary<string, string>(StringComparer.Ordinal) { [keyword] = text },
        };
        PictureTexts.Find(content);
        ParsedParameters parsed = PictureTexts.Parse(content);
        PictureRequestException.ThrowIfUnpaintable(parsed.Request);
    }
}
