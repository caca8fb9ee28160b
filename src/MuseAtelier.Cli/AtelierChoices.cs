using System.CommandLine;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli;

internal sealed class AtelierChoices
{
    private readonly Option<string?> _cache = CacheFolder.Option();
    private readonly Option<DeviceChoice> _device = Choice.Of<DeviceChoice>("--device", Backends.Help);
    private readonly Option<int> _threads = Choice.Whole("--threads", "Threads of the arithmetic on the processor; 0 means one for each core.", 0, least: 0);
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

    /// <summary>An option that names the model.</summary>
    public static Option<string?> Model()
    {
        Option<string?> option = UserPath.Option("--model", "-m");
        option.Description = $"The model: a checkpoint (.safetensors) or the folder of an exported package. [default: the variable {DefaultModel.Variable}, else the Miniature, which comes with muse]";
        option.HelpName = "PATH";
        return option;
    }

    /// <summary>How the atelier is to be set up.</summary>
    public AtelierOptions Read(ParseResult result) => new()
    {
        Backend = Backends.Create(result.GetValue(_device), result.GetValue(_threads)),
        CacheFolder = result.GetValue(_cache) ?? UserPath.Variable(MuseAtelier.Cli.CacheFolder.Variable),
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
        AtelierOptions options = Read(result);
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
