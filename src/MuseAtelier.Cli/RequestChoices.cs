using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Security.Cryptography;

namespace MuseAtelier.Cli;

/// <summary>The options by which a command is told what to paint.</summary>
internal sealed class RequestChoices
{
    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    private readonly Option<string> _negative = new("--negative", "-n") { Description = "What the picture avoids.", HelpName = "PROMPT", DefaultValueFactory = _ => "" };
    private readonly Option<string> _emptyNegative = new("--empty-negative") { Description = "What stands for an empty negative prompt: encoded (the empty text, as AUTOMATIC1111 and ComfyUI have it) or zeros (as diffusers has it).", HelpName = "encoded|zeros", DefaultValueFactory = _ => "encoded" };
    private readonly Option<ulong> _seed = new("--seed", "-s") { Description = "The seed of the noise, up to 18446744073709551615, or random, which draws one and says it. [default: random]", HelpName = "N|random", CustomParser = ParseSeed, DefaultValueFactory = _ => DrawSeed() };
    private readonly Option<int> _steps = new("--steps") { Description = "Denoising steps, 1 to 1000.", HelpName = "N", DefaultValueFactory = _ => Defaults.Steps };
    private readonly Option<float> _guidance = new("--guidance", "-g") { Description = "Guidance scale (CFG), 1 to 100; 1 paints without guidance and without the negative prompt.", HelpName = "X", DefaultValueFactory = _ => Defaults.GuidanceScale };
    private readonly Option<int> _width = new("--width", "-W") { Description = "Width in px, a multiple of 8 from 256 to 2048; multiples of 64 are best.", HelpName = "PX", DefaultValueFactory = _ => Defaults.Width };
    private readonly Option<int> _height = new("--height", "-H") { Description = "Height in px, likewise.", HelpName = "PX", DefaultValueFactory = _ => Defaults.Height };
    private readonly Option<TimestepSpacing> _schedule = new("--schedule") { Description = "How timesteps are spread: leading (SDXL's own), trailing or linspace (AUTOMATIC1111's).", HelpName = "leading|trailing|linspace", DefaultValueFactory = _ => Defaults.Schedule.Spacing };
    private readonly Option<bool> _karras = new("--karras") { Description = "Karras sigmas." };
    private readonly Option<NoiseSource> _noise = new("--noise") { Description = "Whose random numbers the seed starts: diffusers (torch on a processor), a1111 (AUTOMATIC1111 on an NVIDIA card) or comfy (ComfyUI on one).", HelpName = "diffusers|a1111|comfy", DefaultValueFactory = _ => Defaults.NoiseSource };

    public RequestChoices() => _emptyNegative.AcceptOnlyFromAmong("encoded", "zeros");

    public Argument<string> Prompt { get; } = new("PROMPT") { Description = "What the picture shows. A prompt that begins with - goes last, behind --." };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_negative, _seed, _steps, _guidance, _width, _height, _schedule, _karras, _noise, _emptyNegative]) command.Add(option);
    }

    public PictureRequest Read(ParseResult result) => new()
    {
        Prompt = result.GetRequiredValue(Prompt),
        NegativePrompt = result.GetRequiredValue(_negative),
        EmptyNegative = result.GetValue(_emptyNegative) == "zeros" ? EmptyNegative.Zeros : EmptyNegative.Encoded,
        Seed = result.GetValue(_seed),
        NoiseSource = result.GetValue(_noise),
        Width = result.GetValue(_width),
        Height = result.GetValue(_height),
        Steps = result.GetValue(_steps),
        GuidanceScale = result.GetValue(_guidance),
        Schedule = new NoiseSchedule { Spacing = result.GetValue(_schedule), Karras = result.GetValue(_karras) },
    };

    private static ulong ParseSeed(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (text == "random") return DrawSeed();
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)) return seed;
        result.AddError($"The seed is '{text}'; expected a whole number from 0 to {ulong.MaxValue}, or random.");
        return 0;
    }

    // 32 bits are what every other program takes too.
    private static ulong DrawSeed() => BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
}
