using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>
/// The options of one of a storm's ateliers. The form is <c>MODE[:variant][@BUDGET]</c>, such as <c>stream:variant@4GiB</c>.
/// </summary>
/// <param name="Text">The text of the setup.</param>
/// <param name="Offload">The placement of its weights.</param>
/// <param name="UsesVariant">Whether it uses the second model.</param>
/// <param name="Budget">Its budget in bytes; null means none.</param>
internal sealed record AtelierSetup(string Text, OffloadMode Offload, bool UsesVariant, long? Budget)
{
    /// <summary>The default setups: three modes, two models and two budgets, and further combinations.</summary>
    public const string Defaults = "auto,stream:variant@4GiB,rotate,resident:variant,auto@5GiB,stream";

    /// <summary>Reads setups that are separated by commas. If there are fewer than required, they repeat.</summary>
    public static IReadOnlyList<AtelierSetup> ParseAll(string texts, int count)
    {
        AtelierSetup[] given = [.. texts.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse)];
        return [.. Enumerable.Range(0, count).Select(i => given[i % given.Length])];
    }

    /// <summary>
    /// Returns the options. They fix how the VAE decodes, because the engine's choice would depend on the free memory, and so would the
    /// pixels.
    /// </summary>
    public AtelierOptions Options(StormDevice device, string cache) =>
        new()
        {
            Backend = device.Create(),
            CacheFolder = cache,
            Offload = Offload,
            VaeTiling = Offload == OffloadMode.Stream ? VaeTiling.Tiled : VaeTiling.Whole,
            DeviceMemory = device == StormDevice.Cuda ? Budget : null,
            HostMemory = device == StormDevice.Cpu ? Budget : null,
        };

    public Task<Atelier> OpenAsync(StormDevice device, StormFolder folder) =>
        Atelier.OpenAsync(UsesVariant ? folder.Variant : StormFolder.Model, Options(device, folder.Cache));

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
