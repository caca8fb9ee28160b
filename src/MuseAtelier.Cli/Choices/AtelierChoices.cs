using System.CommandLine;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options of a command that runs a model: the device, the memory, the cache and the decoder.</summary>
internal sealed class AtelierChoices
{
    /// <summary>The environment variable that names the cache.</summary>
    public const string CacheVariable = "MUSE_CACHE";

    private readonly Option<string?> _cache = Cache();
    private readonly Option<DeviceChoice> _device = Choice.Of<DeviceChoice>("--device", Backends.Help);
    private readonly Option<int> _threads = Choice.Whole(
        "--threads",
        "Number of threads that compute on the processor; 0 means one per core, or for a picture that is painted again, the number that "
            + $"painted it. A picture's last bits depend on it. At most {CpuBackend.MostThreads}, or one per core.",
        0,
        least: 0);
    private readonly Option<string?> _vae = Vae();
    private readonly Option<VaeTiling> _tiling = Choice.Of<VaeTiling>(
        "--vae-tiling", "How the VAE decodes: whole, or tiled, which takes less memory.");

    private readonly BudgetChoices _budget;

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="isDecodingChosen">Whether the user can choose how the VAE decodes.</param>
    /// <param name="isVaeChosen">Whether the user can choose another VAE.</param>
    public AtelierChoices(Command command, bool isDecodingChosen = true, bool isVaeChosen = true)
    {
        command.Add(_device);
        _budget = new BudgetChoices(command);
        command.Add(_cache);
        command.Add(_threads);
        if (isVaeChosen) command.Add(_vae);
        if (isDecodingChosen) command.Add(_tiling);
    }

    /// <summary>An option that names the cache.</summary>
    public static Option<string?> Cache()
    {
        Option<string?> option = UserPath.Option("--cache");
        option.Description = "The cache: each checkpoint is exported into this folder once. "
            + $"[default: the variable {CacheVariable}, else MuseAtelier/packages in the user's local application data]";
        option.HelpName = "FOLDER";
        return option;
    }

    /// <summary>The cache that the option or, without it, the variable names; null means the engine's default.</summary>
    /// <exception cref="UserPathException">The variable's value is not a valid path.</exception>
    public static string? CacheFolder(string? named) => named ?? UserPath.Variable(CacheVariable);

    /// <summary>An option that names the model.</summary>
    public static Option<string?> Model()
    {
        Option<string?> option = UserPath.Option("--model", "-m");
        option.Description = "The model: a checkpoint (.safetensors), the folder of a model in several files, or the folder of an exported "
            + $"package. [default: the variable {DefaultModel.Variable}, else the Miniature, which comes with muse]";
        option.HelpName = "PATH";
        return option;
    }

    /// <summary>An option that names a VAE.</summary>
    public static Option<string?> Vae()
    {
        Option<string?> option = UserPath.Option("--vae");
        option.Description = "A VAE (.safetensors) that replaces the model's own.";
        option.HelpName = "FILE";
        option.Validators.Add(result =>
        {
            // The option had these words before there were VAEs in files of their own.
            string path = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
            bool isTiling = Enum.TryParse(path, ignoreCase: true, out VaeTiling _) && !File.Exists(path);
            if (isTiling) result.AddError($"--vae is '{path}'; expected the file of a VAE. How it decodes is --vae-tiling {path}");
        });
        return option;
    }

    /// <summary>The options of an atelier.</summary>
    public AtelierOptions Read(ParseResult result) => Read(result, result.GetValue(_device), result.GetValue(_threads));

    /// <summary>
    /// The options of an atelier that verifies a picture. It uses the kind of device and the number of threads that painted the picture,
    /// because the last bits depend on them, unless the command line says otherwise.
    /// </summary>
    /// <param name="result">The command line.</param>
    /// <param name="record">The picture's record.</param>
    public AtelierOptions ReadAsRecorded(ParseResult result, PictureRecord record)
    {
        bool isProcessor = record.Engine.Threads is not null && result.GetResult(_device) is not { Implicit: false };
        DeviceChoice device = isProcessor ? DeviceChoice.Cpu : result.GetValue(_device);
        return PictureVerifier.Suit(record, Read(result, device, Threads(result, record)));
    }

    // An explicit 0 overrides the record: it means one thread per core of this machine.
    private int Threads(ParseResult result, PictureRecord? record) => result.GetResult(_threads) is { Implicit: false }
        ? result.GetValue(_threads)
        : record?.Engine.Threads ?? 0;

    private AtelierOptions Read(ParseResult result, DeviceChoice device, int threads) => new()
    {
        Backend = Backends.Create(device, threads),
        CacheFolder = CacheFolder(result.GetValue(_cache)),
        DeviceMemory = _budget.VideoMemory(result),
        HostMemory = _budget.Memory(result),
        Offload = _budget.Offload(result),
        VaeFile = result.GetResult(_vae) is null ? null : result.GetValue(_vae),
        VaeTiling = result.GetResult(_tiling) is null ? VaeTiling.Auto : result.GetValue(_tiling),
    };

    /// <summary>
    /// The options of an atelier that paints a picture, possibly again. A picture with a record is decoded in the same tiles and precision
    /// as before, unless the command line changes its size, gives a budget or chooses how the VAE decodes.
    /// </summary>
    /// <param name="result">The command line.</param>
    /// <param name="record">The picture's record; null for a new picture.</param>
    /// <param name="request">The picture to paint.</param>
    public AtelierOptions Read(ParseResult result, PictureRecord? record, PictureRequest request)
    {
        AtelierOptions options = Read(result, result.GetValue(_device), Threads(result, record));
        bool isSameSize = record is not null && (record.Request.Width, record.Request.Height) == (request.Width, request.Height);
        bool isUnchanged = isSameSize
            && result.GetResult(_tiling) is null
            && options.DeviceMemory is null
            && options.HostMemory is null;
        return isUnchanged ? PictureVerifier.Suit(record!, options) : options;
    }

    /// <summary>
    /// Refuses a picture if the given budget or, on a processor, the free memory is too small for it. This check runs before the model is
    /// opened, because opening it for the first time exports it.
    /// </summary>
    /// <param name="model">Path of the model.</param>
    /// <param name="options">The atelier's options.</param>
    /// <param name="request">The picture.</param>
    /// <exception cref="BudgetTooSmallException">A budget was given, and no plan fits it.</exception>
    /// <exception cref="FreeMemoryTooSmallException">No budget was given, and no plan fits the free memory.</exception>
    public static void RequireBudget(string model, AtelierOptions options, PictureRequest request)
    {
        bool isOnProcessor = options.Backend is CpuBackend;
        if (options.DeclaredBudget is null && !isOnProcessor) return;
        try
        {
            Atelier.Plan(model, options, request);
        }
        catch (BudgetTooSmallException exception) when (isOnProcessor && options.DeclaredBudget is null)
        {
            throw new FreeMemoryTooSmallException(exception, HostMemory.Bounds());
        }
    }
}
