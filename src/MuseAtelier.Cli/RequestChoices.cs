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
    private readonly Option<EmptyNegative> _emptyNegative = Choice.Of<EmptyNegative>("--empty-negative", "What stands for an empty negative prompt: the encoded empty text, as AUTOMATIC1111 and ComfyUI have it, or zeros, as diffusers has it.");
    private readonly Option<ulong?> _seed = new("--seed", "-s") { Description = "The seed of the noise, up to 18446744073709551615, or random, which draws one and says it. [default: random]", HelpName = "N|random", CustomParser = ParseSeed };
    private readonly Option<int> _steps = Choice.Whole("--steps", "Denoising steps, 1 to 1000.", Defaults.Steps);
    private readonly Option<float> _guidance = Choice.Number("--guidance", "Guidance scale (CFG), 1 to 100; 1 paints without guidance and without the negative prompt.", Defaults.GuidanceScale);
    private readonly Option<int> _width = Choice.Whole("--width", "Width in px, a multiple of 8 from 256 to 2048; multiples of 64 are best.", Defaults.Width);
    private readonly Option<int> _height = Choice.Whole("--height", "Height in px, likewise.", Defaults.Height);
    private readonly Option<TimestepSpacing> _schedule = Choice.Of<TimestepSpacing>("--schedule", "How timesteps are spread: leading is SDXL's own way, linspace AUTOMATIC1111's.");
    private readonly Option<bool> _karras = new("--karras") { Description = "Karras sigmas." };
    private readonly Option<NoiseSource> _noise = Choice.Of<NoiseSource>("--noise", "Whose random numbers the seed starts: those of diffusers (torch on a processor), or of AUTOMATIC1111 or ComfyUI on an NVIDIA card.");

    private FrameChoice? _frame;

    public RequestChoices()
    {
        _guidance.Aliases.Add("-g");
        _width.Aliases.Add("-W");
        _height.Aliases.Add("-H");
    }

    public Argument<string> Prompt { get; } = new("PROMPT") { Description = "What the picture shows. A prompt that begins with - goes last, behind --." };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_negative, _seed, _steps, _guidance, _width, _height, _schedule, _karras, _noise, _emptyNegative]) command.Add(option);
        _frame = new FrameChoice(command);
    }

    public PictureRequest Read(ParseResult result) => new()
    {
        Prompt = result.GetRequiredValue(Prompt),
        NegativePrompt = result.GetRequiredValue(_negative),
        EmptyNegative = result.GetValue(_emptyNegative),
        Seed = result.GetValue(_seed) ?? DrawSeed(),
        NoiseSource = result.GetValue(_noise),
        Width = result.GetValue(_width),
        Height = result.GetValue(_height),
        Steps = result.GetValue(_steps),
        GuidanceScale = result.GetValue(_guidance),
        Schedule = new NoiseSchedule { Spacing = result.GetValue(_schedule), Karras = result.GetValue(_karras) },
        Frame = _frame?.Read(result),
    };

    private static ulong? ParseSeed(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (text == "random") return DrawSeed();
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)) return seed;
        result.AddError($"--seed is '{text}'; expected a whole number from 0 to {ulong.MaxValue}, or random");
        return 0;
    }

    // 32 bits are what every other program takes too.
    private static ulong DrawSeed() => BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
}
