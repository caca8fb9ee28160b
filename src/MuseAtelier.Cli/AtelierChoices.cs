using System.CommandLine;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli;

/// <summary>The options by which a command that runs a model is told which one and how.</summary>
internal sealed class AtelierChoices
{
    /// <summary>The variable that names the cache.</summary>
    public const string CacheVariable = "MUSE_CACHE";

    private readonly Option<string?> _cache = Cache();
    private readonly Option<DeviceChoice> _device = Choice.Of<DeviceChoice>("--device", Backends.Help);
    private readonly Option<int> _threads =
        Choice.Whole(
        "--threads",
        "Threads of the arithmetic on the processor; 0 means one for each core, or as many as painted the picture that is painted again. "
        + $"A picture's last bits depend on it. At most {CpuBackend.MostThreads}, or one for each core.",
        0,
        least: 0);
    private readonly Option<VaeTiling> _vae = Choice.Of<VaeTiling>("--vae", "How the VAE decodes: whole, or tiled, which takes less memory.");

    private readonly BudgetChoices _budget;

    /// <summary>Gives a command the options.</summary>
    /// <param name="command">The command.</param>
    /// <param name="isDecodingChosen">Whether the user chooses how the VAE decodes.</param>
    public AtelierChoices(Command command, bool isDecodingChosen = true)
    {
        command.Add(_device);
        _budget = new BudgetChoices(command);
        command.Add(_cache);
        command.Add(_threads);
        if (isDecodingChosen) command.Add(_vae);
    }

    /// <summary>An option that names the cache.</summary>
    public static Option<string?> Cache()
    {
        Option<string?> option = UserPath.Option("--cache");
        option.Description =
            $"Where checkpoints are exported to, once each. [default: the variable {CacheVariable}, else MuseAtelier/packages in the user's local application data]";
        option.HelpName = "FOLDER";
        return option;
    }

    /// <summary>The cache that the option or the variable names; null means the engine's own.</summary>
    /// <exception cref="UserPathException">The variable holds no path.</exception>
    public static string? CacheFolder(string? named) => named ?? UserPath.Variable(CacheVariable);

    /// <summary>An option that names the model.</summary>
    public static Option<string?> Model()
    {
        Option<string?> option = UserPath.Option("--model", "-m");
        option.Description = "The model: a checkpoint (.safetensors) or the folder of an exported package. "
            + $"[default: the variable {DefaultModel.Variable}, else the Miniature, which comes with muse]";
        option.HelpName = "PATH";
        return option;
    }

    /// <summary>How the atelier is to be set up.</summary>
    public AtelierOptions Read(ParseResult result) => Read(result, result.GetValue(_device), result.GetValue(_threads));

    /// <summary>
    /// How the atelier is to be set up that verifies a picture: on the kind of device and with the number of threads that painted it,
    /// unless the command line says otherwise, since its last bits depend on them.
    /// </summary>
    /// <param name="result">The command line.</param>
    /// <param name="record">The picture's record.</param>
    public AtelierOptions ReadAsRecorded(ParseResult result, PictureRecord record)
    {
        bool isProcessor = record.Engine.Threads is not null && result.GetResult(_device) is not { Implicit: false };
        return PictureVerifier.Suit(record,
            Read(result, isProcessor ? DeviceChoice.Cpu : result.GetValue(_device), Threads(result, record)));
    }

    // 0 is a choice too: the number of this machine.
    private int Threads(ParseResult result, PictureRecord? record) => result.GetResult(_threads) is { Implicit: false }
        ? result.GetValue(_threads) : record?.Engine.Threads ?? 0;

    private AtelierOptions Read(ParseResult result, DeviceChoice device, int threads) => new()
    {
        Backend = Backends.Create(device, threads),
        CacheFolder = CacheFolder(result.GetValue(_cache)),
        VideoMemoryBudget = _budget.VideoMemory(result),
        MemoryBudget = _budget.Memory(result),
        Offload = _budget.Offload(result),
        VaeTiling = result.GetResult(_vae) is null ? VaeTiling.Auto : result.GetValue(_vae),
    };

    /// <summary>The same for a picture that is painted again: decoded as it was, unless its size, a budget or the user's choice asks for something else.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="record">The picture's record; null for a new picture.</param>
    /// <param name="request">What is to be painted.</param>
    public AtelierOptions Read(ParseResult result, PictureRecord? record, PictureRequest request)
    {
        AtelierOptions options = Read(result, result.GetValue(_device), Threads(result, record));
        bool isAsItWas = record is not null && (record.Request.Width, record.Request.Height) == (request.Width, request.Height)
            && result.GetResult(_vae) is null && options.VideoMemoryBudget is null && options.MemoryBudget is null;
        return isAsItWas ? PictureVerifier.Suit(record!, options) : options;
    }

    /// <summary>Refuses a picture for which a budget that was given, or a processor's free memory, is too small: before a first export is made for it.</summary>
    /// <param name="model">Path of the model.</param>
    /// <param name="options">How the atelier is to be set up.</param>
    /// <param name="request">The picture.</param>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget that was given.</exception>
    /// <exception cref="FreeMemoryTooSmallException">None was given, and no plan keeps to what is free.</exception>
    public static void RequireBudget(string model, AtelierOptions options, PictureRequest request)
    {
        bool isOnProcessor = options.Backend is CpuBackend;
        if (options.VideoMemoryBudget is null && options.MemoryBudget is null && !isOnProcessor) return;
        try
        {
            Atelier.Plan(model, options, request);
        }
        catch (BudgetTooSmallException exception) when (isOnProcessor && options.MemoryBudget is null)
        {
            throw new FreeMemoryTooSmallException(exception, HostMemory.Bounds());
        }
    }
}
