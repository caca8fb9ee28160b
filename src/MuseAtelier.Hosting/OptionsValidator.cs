using Microsoft.Extensions.Options;

namespace MuseAtelier.Hosting;

/// <summary>
/// Checks the options of an atelier when the host starts. Each sentence names the key or the property, the value and what is valid.
/// </summary>
internal sealed class OptionsValidator : IValidateOptions<MuseAtelierHostOptions>
{
    public ValidateOptionsResult Validate(string? name, MuseAtelierHostOptions options)
    {
        List<string> failures = [.. options.ReadingFailures];
        CheckModel(name, options, failures);
        CheckBackend(name, options, failures);
        CheckMemory(Named(name, options, nameof(options.DeviceMemory)), options.DeviceMemory, failures);
        CheckMemory(Named(name, options, nameof(options.HostMemory)), options.HostMemory, failures);
        CheckPath(Named(name, options, nameof(options.CacheFolder)), options.CacheFolder, failures);
        CheckPaths(Named(name, options, nameof(options.LoraFolders)), options.LoraFolders, failures);
        CheckPaths(Named(name, options, nameof(options.EmbeddingFolders)), options.EmbeddingFolders, failures);
        CheckPath(Named(name, options, nameof(options.VaeFile)), options.VaeFile, failures);
        CheckChoice(Named(name, options, nameof(options.Offload)), options.Offload, failures);
        CheckChoice(Named(name, options, nameof(options.VaeTiling)), options.VaeTiling, failures);
        CheckChoice(Named(name, options, nameof(options.Disposal)), options.Disposal, failures);
        CheckChoice(Named(name, options, nameof(options.WarmUp)), options.WarmUp, failures);
        if (options.QueueCapacity is < 1 or > AtelierOptions.LargestQueueCapacity)
        {
            string setting = Named(name, options, nameof(options.QueueCapacity));
            failures.Add($"{setting} is {options.QueueCapacity}; expected 1 to {AtelierOptions.LargestQueueCapacity} requests.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void CheckModel(string? name, MuseAtelierHostOptions options, List<string> failures)
    {
        string setting = Named(name, options, nameof(options.Model), isMissing: options.Model is null);
        if (string.IsNullOrWhiteSpace(options.Model))
            failures.Add($"{setting} is not set; expected the path of a package's folder or of an SDXL single-file checkpoint.");
        else CheckPath(setting, options.Model, failures);
    }

    private static void CheckBackend(string? name, MuseAtelierHostOptions options, List<string> failures)
    {
        if (options.Backend is null == options.BackendFactory is null)
        {
            failures.Add(
                $"{Property(name, nameof(options.Backend))} and {nameof(options.BackendFactory)} are "
                + $"{(options.Backend is null ? "both null" : "both set")}; expected one of them, which only code can set: "
                + "o.Backend = CpuBackend.Create(), or CudaBackend.Create().");
        }
    }

    private static void CheckMemory(string setting, string? amount, List<string> failures)
    {
        if (amount is null) return;
        try
        {
            MemoryBudget.Parse(amount);
        }
        catch (ByteSizeException exception)
        {
            failures.Add($"{setting} is '{amount}'; expected {exception.Expected}.");
        }
    }

    private static void CheckPath(string setting, string? path, List<string> failures)
    {
        if (path is null) return;
        if (string.IsNullOrWhiteSpace(path)) failures.Add($"{setting} is '{path}'; expected a path.");
        if (path.Contains('\0', StringComparison.Ordinal)) failures.Add($"{setting} holds a NUL character; expected a path.");
    }

    private static void CheckPaths(string setting, IReadOnlyList<string> paths, List<string> failures)
    {
        if (paths is null) failures.Add($"{setting} is null; expected a list of folders, which may be empty.");
        foreach (string path in paths ?? []) CheckPath(setting, path ?? "", failures);
    }

    private static void CheckChoice<T>(string setting, T value, List<string> failures) where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) failures.Add($"{setting} is {value}; expected one of {string.Join(", ", Enum.GetNames<T>())}.");
    }

    // The key if the value comes from configuration, or should: else the property that code has set.
    private static string Named(string? name, MuseAtelierHostOptions options, string property, bool isMissing = false) =>
        options.Section?.GetSection(property) is { } setting && (isMissing || !string.IsNullOrWhiteSpace(setting.Value))
            ? setting.Path
            : Property(name, property);

    private static string Property(string? name, string property) => string.IsNullOrEmpty(name)
        ? $"{nameof(MuseAtelierHostOptions)}.{property}"
        : $"{nameof(MuseAtelierHostOptions)}.{property} of the atelier '{name}'";
}
