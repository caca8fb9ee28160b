using MuseAtelier.Format;
using MuseAtelier.Residency;
using MuseAtelier.Sampling;

namespace MuseAtelier;

/// <summary>The ranges of an atelier's options. They are checked before a model is opened or exported.</summary>
internal static class OptionRules
{
    private const int LongestDisplayName = 64;

    /// <summary>Checks that every option is in range. Only a plan can tell whether a budget is large enough.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static void Check(AtelierOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(options.Backend);
        if (options.CacheFolder is { } folder)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(folder, nameof(options.CacheFolder));
            if (folder.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("The path of the cache holds a NUL character.", nameof(options));
        }

        if (options.VaeFile is { } vae)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(vae, nameof(options.VaeFile));
            if (vae.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("The path of the VAE holds a NUL character.", nameof(options));
        }

        if (options.Precisions is { } precisions)
        {
            CheckPrecision(precisions.TextEncoders, nameof(precisions.TextEncoders));
            CheckPrecision(precisions.UNet, nameof(precisions.UNet));
            CheckPrecision(precisions.Vae, nameof(precisions.Vae));
        }

        CheckFolders(options.LoraFolders, nameof(options.LoraFolders));
        CheckFolders(options.EmbeddingFolders, nameof(options.EmbeddingFolders));
        PlanRules.CheckPlacement(options.Offload, options.VaeTiling, options.VaeTile);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PreviewInterval, TimeSpan.Zero, nameof(options.PreviewInterval));
        CheckQueue(options);
        CheckSamplers(options.Samplers);
        CheckNoiseSources(options.NoiseSources);
    }

    private static void CheckFolders(IReadOnlyList<string> folders, string name)
    {
        ArgumentNullException.ThrowIfNull(folders, name);
        foreach (string folder in folders)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(folder, name);
            if (folder.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("The path of a folder holds a NUL character.", name);
        }
    }

    private static void CheckQueue(AtelierOptions options)
    {
        int capacity = options.QueueCapacity;
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1, nameof(options.QueueCapacity));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, AtelierOptions.LargestQueueCapacity, nameof(options.QueueCapacity));
        PlanRules.CheckChoice(options.Disposal, nameof(options.Disposal));
        if (options.Name is not { } name) return;
        if (string.IsNullOrWhiteSpace(name) || name.Length > LongestDisplayName || name.Any(char.IsControl))
            throw new ArgumentException("The name of the atelier is not one line of 1 to 64 characters.", nameof(options));
    }

    private static void CheckSamplers(IReadOnlyList<SamplerRegistration> samplers)
    {
        ArgumentNullException.ThrowIfNull(samplers);
        List<SamplerName> names = [.. SamplerCatalog.BuiltIn.Names];
        foreach (SamplerRegistration sampler in samplers)
        {
            ArgumentNullException.ThrowIfNull(sampler);
            ArgumentNullException.ThrowIfNull(sampler.Create);
            ArgumentNullException.ThrowIfNull(sampler.DisplayName);
            bool isLine = sampler.DisplayName.Length <= LongestDisplayName && !sampler.DisplayName.Any(char.IsControl);
            if (!isLine || string.IsNullOrWhiteSpace(sampler.DisplayName))
                throw new ArgumentException($"The display name of the sampler {sampler.Name} is not one line of 1 to 64 characters.");
            if (names.Contains(sampler.Name)) throw new ArgumentException($"There are two samplers with the name {sampler.Name}.");
            names.Add(sampler.Name);
        }
    }

    private static void CheckNoiseSources(IReadOnlyList<NoiseSourceRegistration> sources)
    {
        ArgumentNullException.ThrowIfNull(sources);
        List<NoiseSource> names = [.. NoiseSourceCatalog.BuiltIn.Names];
        foreach (NoiseSourceRegistration source in sources)
        {
            ArgumentNullException.ThrowIfNull(source);
            ArgumentNullException.ThrowIfNull(source.Create);
            if (names.Contains(source.Name)) throw new ArgumentException($"There are two noise sources with the name {source.Name}.");
            names.Add(source.Name);
        }
    }

    private static void CheckPrecision(PartPrecision precision, string name)
    {
        PlanRules.CheckChoice(precision.Storage, name);
        PlanRules.CheckChoice(precision.Arithmetic, name);
        if (!precision.IsSupported) throw new ArgumentException($"A part is stored as it computes, not as {precision}.", name);
    }
}
