using System.CommandLine;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that limit a command's memory and choose where the weights are.</summary>
internal sealed class BudgetChoices
{
    private readonly Option<long?> _videoMemory = Amount(
        "--vram",
        "Video memory that muse may use on a card, as the driver counts it, such as 4GiB. "
            + "[default: 19GiB, or the free memory if that is less]");
    private readonly Option<long?> _memory = Amount(
        "--ram",
        "Memory that muse may use when the processor paints, such as 3GiB; pages of mapped files do not count. "
            + "[default: what the machine, its container and ulimit leave free]");
    private readonly Option<OffloadMode> _offload = Choice.Of(
        "--offload",
        "Where the denoiser's weights are between the steps: resident in device memory, streamed through a buffer in every step, or "
            + "streamed while sessions rotate, which takes the least memory. Auto chooses the fastest mode within the budget.",
        new Dictionary<string, OffloadMode> { ["sessions"] = OffloadMode.Rotate });

    public BudgetChoices(Command command)
    {
        command.Add(_videoMemory);
        command.Add(_memory);
        command.Add(_offload);
    }

    /// <summary>Makes a command that plans for one device refuse budgets for both.</summary>
    public void AllowOneBudget(Command command) => command.Validators.Add(result =>
    {
        if (result.GetResult(_videoMemory) is not null && result.GetResult(_memory) is not null)
            result.AddError("Give either --vram, for a card, or --ram, for the processor");
    });

    /// <summary>Budget of video memory in bytes; null if none is given.</summary>
    public long? VideoMemory(ParseResult result) => result.GetValue(_videoMemory);

    /// <summary>Budget of the processor's memory in bytes; null if none is given.</summary>
    public long? Memory(ParseResult result) => result.GetValue(_memory);

    /// <summary>Where the weights are between the steps.</summary>
    public OffloadMode Offload(ParseResult result) => result.GetValue(_offload);

    private static Option<long?> Amount(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "AMOUNT",
        CustomParser = result =>
        {
            try
            {
                return ByteSize.Parse(result.Tokens[0].Value);
            }
            catch (ByteSizeException exception)
            {
                result.AddError($"{name}: {exception.Message}");
                return null;
            }
        },
    };
}
