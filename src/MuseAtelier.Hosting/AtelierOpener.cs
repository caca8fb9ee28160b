using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using System.Diagnostics.Metrics;

namespace MuseAtelier.Hosting;

/// <summary>Opens an atelier.</summary>
/// <param name="model">Path of the model.</param>
/// <param name="options">The options of the atelier.</param>
/// <param name="cancellationToken">Ends the opening.</param>
internal delegate Task<IAtelier> AtelierOpener(string model, AtelierOptions options, CancellationToken cancellationToken);

/// <summary>Translates the options of the host into those of an atelier.</summary>
internal static class AtelierOpening
{
    /// <summary>Opens an atelier of the library.</summary>
    public static async Task<IAtelier> OpenAsync(string model, AtelierOptions options, CancellationToken cancellationToken) =>
        await Atelier.OpenAsync(model, options, cancellationToken: cancellationToken).ConfigureAwait(false);

    /// <summary>The path of the model.</summary>
    public static string ModelOf(MuseAtelierHostOptions options, IServiceProvider services) => Rooted(options.Model!, services);

    /// <summary>The options of the atelier.</summary>
    /// <param name="options">The options of the host, which are valid.</param>
    /// <param name="name">The name of the atelier; empty if it has none.</param>
    /// <param name="services">The services of the host.</param>
    public static AtelierOptions OptionsOf(MuseAtelierHostOptions options, string name, IServiceProvider services)
    {
        var translated = new AtelierOptions
        {
            Backend = options.Backend ?? options.BackendFactory!(services),
            CacheFolder = options.CacheFolder is { } folder ? Rooted(folder, services) : null,
            LoraFolders = Rooted(options.LoraFolders, services),
            EmbeddingFolders = Rooted(options.EmbeddingFolders, services),
            VaeFile = options.VaeFile is { } vae ? Rooted(vae, services) : null,
            VerifyDigests = options.VerifyDigests,
            DeviceMemory = options.DeviceMemory is { } device ? MemoryBudget.Parse(device) : null,
            HostMemory = options.HostMemory is { } host ? MemoryBudget.Parse(host) : null,
            Offload = options.Offload,
            WatchMemory = options.WatchMemory,
            VaeTiling = options.VaeTiling,
            DecodesInFp32 = options.DecodesInFp32,
            Previews = options.Previews,
            QueueCapacity = options.QueueCapacity,
            Name = name.Length == 0 ? null : name,
            LoggerFactory = services.GetService<ILoggerFactory>(),
            MeterFactory = services.GetService<IMeterFactory>(),
        };
        if (options.Configure is { } configure)
        {
            const string Member = $"{nameof(MuseAtelierHostOptions)}.{nameof(MuseAtelierHostOptions.Configure)}";
            translated = configure(translated) ?? throw new InvalidOperationException($"{Member} returned null; expected options.");
        }

        // The host drains by itself, because only it knows the limit; disposing then has to abort what is left.
        return translated with { Disposal = DisposalMode.Abort };
    }

    private static IReadOnlyList<string> Rooted(IReadOnlyList<string> paths, IServiceProvider services) =>
        paths.Count == 0 ? [] : [.. paths.Select(path => Rooted(path, services))];

    // A service of the operating system has a working folder of the system's. Its content root is the program's folder.
    private static string Rooted(string path, IServiceProvider services) =>
        services.GetService<IHostEnvironment>()?.ContentRootPath is { Length: > 0 } root ? Path.Combine(root, path) : path;
}
