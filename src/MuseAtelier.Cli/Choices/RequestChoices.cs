using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MuseAtelier.Pictures;
using MuseAtelier.Sampling;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that describe a picture. The prompt is not among them: each command takes it in its own way.</summary>
internal sealed class RequestChoices
{
    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    private readonly Option<string> _negative = new("--negative", "-n")
    {
        Description = "What the picture should not show.",
        HelpName = "PROMPT",
        DefaultValueFactory = _ => "",
    };
    private readonly Option<EmptyNegative> _emptyNegative = Choice.Of<EmptyNegative>(
        "--empty-negative",
        "The conditioning for an empty negative prompt: the encoded empty text, as in ComfyUI, or zeros, as in AUTOMATIC1111, Forge "
            + "and diffusers.");
    private readonly Option<ulong> _seed = new("--seed", "-s")
    {
        Description = "Seed of the noise, up to 18446744073709551615. With random, muse draws one and prints it. [default: random]",
        HelpName = "N|random",
        CustomParser = ParseSeed,
    };
    private readonly Option<int> _steps = Choice.Whole("--steps", "Denoising steps, 1 to 1000.", Defaults.Steps);
    private readonly Option<float> _guidance = Choice.Number(
        "--guidance",
        "Guidance scale (CFG), 0 or 1 to 100. With 0 and 1 there is no guidance, and the negative prompt is not used.",
        Defaults.GuidanceScale);
    private readonly Option<int> _width =
        Choice.Whole("--width", "Width in px, a multiple of 8 from 256 to 4096; multiples of 64 are best.", Defaults.Width);
    private readonly Option<int> _height = Choice.Whole("--height", "Height in px, with the same limits.", Defaults.Height);
    private readonly Option<string> _schedule = ScheduleOption();
    private readonly Option<bool> _karras = new("--karras") { Description = "Use Karras sigmas." };
    private readonly Option<SamplerName> _sampler = Choice.Sampler(
        "--sampler", "The sampler");
    private readonly Option<string> _noise = Choice.Named(
        "--noise",
        "The program whose random numbers the seed starts: diffusers (torch on a processor), or AUTOMATIC1111 or ComfyUI on an "
            + "NVIDIA card.",
        [.. NoiseSourceCatalog.BuiltIn.Names.Select(name => name.Id.ToLowerInvariant())]);

    private readonly PresetChoice _preset = new();
    private readonly SamplingChoices _sampling = new();
    private readonly PromptChoices _prompt = new();
    private readonly SourceChoices _source = new();
    private readonly HiresChoices _hires = new();
    private readonly LoraChoices _loras = new();
    private FrameChoice? _frame;
    private bool _isRecorded;

    public RequestChoices()
    {
        _guidance.Aliases.Add("-g");
        _width.Aliases.Add("-W");
        _height.Aliases.Add("-H");
    }

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="isRecorded">
    /// Whether the request begins with that of a recorded picture, which may have a source and a second pass.
    /// </param>
    public void AddTo(Command command, bool isRecorded = false)
    {
        Option[] options =
        [
            _negative, _seed, _preset.Option, _steps, _guidance, _width, _height, _sampler, _schedule, _karras, _noise, _emptyNegative,
        ];
        int before = command.Options.Count;
        foreach (Option option in (Option[])[.. options, .. _sampling.All, .. _prompt.All]) command.Add(option);
        _frame = new FrameChoice(command);
        _isRecorded = isRecorded;
        _source.AddTo(command, isRecorded);
        _hires.AddTo(command, isRecorded);
        if (isRecorded) Choice.TakeFromPicture(command.Options.Skip(before));
        _prompt.AddFolders(command);
        _loras.AddTo(command);
    }

    /// <summary>
    /// A request with the changes that the command line names. Reads the files of the source, of its mask, of the upscaler and of LoRAs,
    /// and compares them with those of a recorded request.
    /// </summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">Supplies the value of every option that neither the command line nor a preset gives.</param>
    /// <param name="parsed">How a text says that the picture was painted from another one; null if it says nothing of that.</param>
    /// <param name="terminal">Takes notices.</param>
    /// <param name="stop">Stops the reading.</param>
    /// <exception cref="PictureFileException">A file cannot be read.</exception>
    /// <exception cref="SourceMissingException">The recorded request asks for a file that the command line does not name.</exception>
    /// <exception cref="SourceMismatchException">A file is not the recorded one.</exception>
    public async Task<PictureRequest> ReadAsync(
        ParseResult result, PictureRequest basis, ParsedSource? parsed, Terminal terminal, CancellationToken stop)
    {
        RequestSources sources = await ReadSourcesAsync(result, stop);
        if (!_isRecorded && sources.Source is { } image) basis = Sized(result, basis, image, terminal);
        PictureRequest request = Read(result, basis);
        request = _loras.Read(result, await Task.Run(() => sources.ApplyTo(request), stop));
        request = _hires.ReadLoras(result, request);
        if (sources.Source is not { } given) return request;
        PictureSource source = request.Source ?? parsed?.ToSource(given, sources.Mask) ?? new PictureSource(given);
        if (source.Mask is null && sources.Mask is { } added) source = source with { Mask = new InpaintMask(added) };
        return request with { Source = _source.Read(result, source) };
    }

    private async Task<RequestSources> ReadSourcesAsync(ParseResult result, CancellationToken stop)
    {
        var sources = new RequestSources
        {
            UpscalerPath = _hires.UpscalerPath(result),
            LoraFolders = LoraFolders(result),
            LoraPaths = [.. _loras.PathsOf(result), .. _hires.LoraPaths(result)],
        };
        if (_source.SourcePath(result) is not { } path) return sources;
        (SourceImage source, MaskImage? mask) = await SourceFiles.LoadAsync(path, _source.MaskPath(result), stop);
        return sources with { Source = source, Mask = mask };
    }

    // The surroundings of a mask are painted at a size of their own.
    private PictureRequest Sized(ParseResult result, PictureRequest basis, SourceImage source, Terminal terminal)
    {
        bool isWide = Choice.IsGiven(result, _width), isHigh = Choice.IsGiven(result, _height);
        if (isWide && isHigh || _source.IsOnlyMasked(result)) return basis;
        PictureMargins margins = _source.MarginsOf(result);
        int width = source.Width + margins.Left + margins.Right;
        int height = source.Height + margins.Top + margins.Bottom;
        if (isWide) return basis with { Height = SourceSize.Other(result.GetValue(_width), width, height) };
        if (isHigh) return basis with { Width = SourceSize.Other(result.GetValue(_height), height, width) };
        SourceSize size = SourceSize.Of(source.Name ?? "the source", width, height);
        if (size.Notice is { } notice) terminal.WriteNotice("notice", notice);
        return basis with { Width = size.Width, Height = size.Height };
    }

    private PictureRequest Read(ParseResult result, PictureRequest basis)
    {
        PictureRequest preset = Preset(result)?.ApplyTo(basis) ?? basis;
        PictureRequest request = _sampling.Read(result, _prompt.Read(result, ReadOwn(result, preset)));
        // A list of timesteps sets the number of steps; with another number beside it, the request's rules refuse both.
        return request with { Steps = Choice.Given(result, _steps, request.Steps) };
    }

    /// <summary>Refuses an option that says nothing without a source.</summary>
    public void RequireSource(CommandResult result, Option option) => Choice.Require(result, _source.Path, [option]);

    /// <summary>Whether the command line names a source.</summary>
    public bool HasSource(ParseResult result) => _source.SourcePath(result) is not null;

    /// <summary>The folders in which prompts find LoRAs.</summary>
    public IReadOnlyList<string> LoraFolders(ParseResult result) => _loras.FoldersOf(result);

    /// <summary>The folders in which prompts find embeddings.</summary>
    public IReadOnlyList<string> EmbeddingFolders(ParseResult result) => _prompt.EmbeddingFolders(result);

    /// <summary>The preset that the command line names; null means none.</summary>
    public FewStepPreset? Preset(ParseResult result) => result.GetValue(_preset.Option);

    /// <summary>Whether the command line gives a seed, be it a number or <c>random</c>.</summary>
    public bool HasSeed(ParseResult result) => Choice.IsGiven(result, _seed);

    // 32 bits, because every other program accepts such seeds too. A seed is no secret, so it needs no cryptographic generator, for
    // which .NET needs OpenSSL on Linux.
    public static ulong DrawSeed() => (ulong)Random.Shared.NextInt64(1L << 32);

    private PictureRequest ReadOwn(ParseResult result, PictureRequest basis) => basis with
    {
        NegativePrompt = Choice.Given(result, _negative, basis.NegativePrompt),
        EmptyNegative = Choice.Given(result, _emptyNegative, basis.EmptyNegative),
        Seed = Choice.Given(result, _seed, basis.Seed),
        NoiseSource = Choice.IsGiven(result, _noise) ? new NoiseSource(result.GetValue(_noise)!) : basis.NoiseSource,
        Sampler = Choice.Given(result, _sampler, basis.Sampler),
        Width = Choice.Given(result, _width, basis.Width),
        Height = Choice.Given(result, _height, basis.Height),
        Steps = Choice.Given(result, _steps, basis.Steps),
        GuidanceScale = Choice.Given(result, _guidance, basis.GuidanceScale),
        Schedule = ReadSchedule(result, basis.Schedule),
        Frame = _frame?.Read(result, basis.Frame),
        Hires = _hires.Read(result, basis.Hires),
    };

    private NoiseSchedule ReadSchedule(ParseResult result, NoiseSchedule basis)
    {
        bool karras = Choice.Given(result, _karras, basis.Karras);
        // Another number of steps or another schedule leaves the timesteps of a preset or of a record.
        if (Choice.IsGiven(result, _steps) && result.GetValue(_steps) != basis.Timesteps?.Count) basis = basis with { Timesteps = null };
        if (!Choice.IsGiven(result, _schedule)) return basis with { Karras = karras };
        NoiseSchedule found = ScheduleCatalog.Find(result.GetValue(_schedule)!)!;
        return basis with { Spacing = found.Spacing, Karras = found.Karras || karras, Timesteps = null };
    }

    // Takes other programs' names too.
    private static Option<string> ScheduleOption()
    {
        Option<string> option = Choice.Named(
            "--schedule",
            $"The noise levels of the steps: {string.Join(", ", ScheduleCatalog.Ids)}, or another program's name. automatic is what the "
                + "program of --dialect picks for the sampler, leading SDXL's own; karras is linspace with --karras.",
            [.. ScheduleCatalog.Ids]);
        option.HelpName = "NAME";
        Func<ArgumentResult, string?> parse = option.CustomParser!;
        option.CustomParser = result =>
            ScheduleCatalog.Find(result.Tokens[0].Value) is { } found ? ScheduleCatalog.IdOf(found) : parse(result);
        return option;
    }

    private static ulong ParseSeed(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (text == "random") return DrawSeed();
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)) return seed;
        result.AddError($"--seed is '{text}'; expected a whole number from 0 to {ulong.MaxValue}, or random");
        return 0;
    }
}
