using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>The options by which a command is told how much memory it may take, and where weights may be.</summary>
internal sealed class BudgetChoices
{
    private readonly Option<long?> _videoMemory = Amount("--vram", "Video memory that muse may hold on a card, as its driver counts it, such as 4GiB. [default: 19GiB, or what is free if that is less]");
    private readonly Option<long?> _memory = Amount("--ram", "Memory that muse may hold where the processor paints, such as 3GiB; pages of mapped files do not count. [default: what the machine, its container and ulimit leave free]");
    private readonly Option<OffloadMode> _offload = Choice.Of<OffloadMode>("--offload", "Where weights are between the steps: auto takes what is fastest within the budget.");

    public BudgetChoices(Command command)
    {
        command.Add(_videoMemory);
        command.Add(_memory);
        command.Add(_offload);
    }

    /// <summary>Has a command that plans for one device refuse budgets of both.</summary>
    public void AllowOneBudget(Command command) => command.Validators.Add(result =>
    {
        if (result.GetResult(_videoMemory) is not null && result.GetResult(_memory) is not null) result.AddError("Give either --vram, for a card, or --ram, for the processor");
    });

    /// <summary>Bytes of video memory; null where none are given.</summary>
    public long? VideoMemory(ParseResult result) => result.GetValue(_videoMemory);

    /// <summary>Bytes of memory; null where none are given.</summary>
    public long? Memory(ParseResult result) => result.GetValue(_memory);

    /// <summary>Where weights may be.</summary>
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
