using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>
/// How one of a storm's ateliers is opened. Written as <c>MODE[:variant][@BUDGET]</c>, such as <c>stream:variant@4GiB</c>.
/// </summary>
/// <param name="Text">The setup as it is written.</param>
/// <param name="Offload">Where its weights are.</param>
/// <param name="UsesVariant">Whether it paints with the second model.</param>
/// <param name="Budget">Its budget in bytes; null means none.</param>
internal sealed record AtelierSetup(string Text, OffloadMode Offload, bool UsesVariant, long? Budget)
{
    /// <summary>Three modes, two models and two budgets; then more of the kind.</summary>
    public const string Defaults = "auto,stream:variant@4GiB,rotate,resident:variant,auto@5GiB,stream";

    /// <summary>Reads setups that are separated by commas; more are wanted than there are: they begin anew.</summary>
    public static IReadOnlyList<AtelierSetup> ParseAll(string texts, int count)
    {
        AtelierSetup[] given = [.. texts.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse)];
        return [.. Enumerable.Range(0, count).Select(i => given[i % given.Length])];
    }

    /// <summary>
    /// The options. The mode fixes how the VAE decodes. Chosen by the engine it would depend on the free memory, and so would the pixels.
    /// </summary>
    public AtelierOptions Options(StormDevice device, string cache) =>
        new()
        {
            Backend = device.Create(),
            CacheFolder = cache,
            Offload = Offload,
            VaeTiling = Offload == OffloadMode.Stream ? VaeTiling.Tiled : VaeTiling.Whole,
            VideoMemoryBudget = device == StormDevice.Cuda ? Budget : null,
            MemoryBudget = device == StormDevice.Cpu ? Budget : null,
        };

    public Task<Atelier> OpenAsync(StormDevice device, StormFolder folder) =>
        Atelier.OpenAsync(UsesVariant ? folder.Variant : StormFolder.Miniature, Options(device, folder.Cache));

    private static AtelierSetup Parse(string text)
    {
        string[] budget = text.Split('@'),
            model = budget[0].Split(':');
        return new AtelierSetup(
            text,
            Enum.Parse<OffloadMode>(model[0], ignoreCase: true),
            model is [_, "variant"],
            budget.Length > 1 ? ByteSize.Parse(budget[1]) : null
        );
    }
}
