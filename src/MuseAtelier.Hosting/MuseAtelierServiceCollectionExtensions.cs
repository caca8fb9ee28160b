using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MuseAtelier;
using MuseAtelier.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers ateliers in a host.</summary>
/// <remarks>
/// <para>
/// An atelier is registered as a singleton <see cref="IAtelier"/>, which opens the model at the warm-up or at the first request. Requests
/// wait for the opening; cancelling one does not cancel the opening. If it fails, all that wait receive its exception, and the next request
/// tries again. <see cref="IAtelier.Model"/>, <see cref="IAtelier.Device"/> and <see cref="IAtelier.RuntimeVersion"/> throw an
/// <see cref="AtelierNotOpenException"/> before it is open.
/// </para>
/// <para>
/// The atelier ends after all hosted services have stopped, within the shutdown timeout of the host, as
/// <see cref="MuseAtelierHostOptions.Disposal"/> says. Options are validated when the host starts; invalid ones fail the start with an
/// <see cref="OptionsValidationException"/>. Calls for the same atelier are applied in order; a later one overrides an earlier one.
/// </para>
/// </remarks>
public static class MuseAtelierServiceCollectionExtensions
{
    private const int LongestName = 64;

    /// <summary>Adds the atelier of a host, which has no name.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IServiceCollection AddMuseAtelier(this IServiceCollection services, Action<MuseAtelierHostOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, Options.Options.DefaultName, section: null, configure);
    }

    /// <summary>Adds one of several ateliers of a host, as a keyed service: <c>[FromKeyedServices("name")] IAtelier atelier</c>.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">
    /// The key of the service and the name of the options, one line of 1 to 64 characters. It is also the name in metrics, activities and
    /// the log.
    /// </param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The name is not one line of 1 to 64 characters.</exception>
    public static IServiceCollection AddMuseAtelier(
        this IServiceCollection services, string name, Action<MuseAtelierHostOptions> configure)
    {
        CheckName(name);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, name, section: null, configure);
    }

    /// <summary>Adds the atelier of a host with options from configuration.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="section">The section whose keys are the names of the options' properties.</param>
    /// <param name="configure">Sets options after the section was read: at least the backend.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IServiceCollection AddMuseAtelier(
        this IServiceCollection services, IConfigurationSection section, Action<MuseAtelierHostOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, Options.Options.DefaultName, section, configure);
    }

    /// <summary>Adds one of several ateliers of a host, as a keyed service, with options from configuration.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">
    /// The key of the service and the name of the options, one line of 1 to 64 characters. It is also the name in metrics, activities and
    /// the log.
    /// </param>
    /// <param name="section">The section whose keys are the names of the options' properties.</param>
    /// <param name="configure">Sets options after the section was read: at least the backend.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The name is not one line of 1 to 64 characters.</exception>
    public static IServiceCollection AddMuseAtelier(
        this IServiceCollection services, string name, IConfigurationSection section, Action<MuseAtelierHostOptions> configure)
    {
        CheckName(name);
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, name, section, configure);
    }

    private static void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > LongestName || name.Any(char.IsControl))
            throw new ArgumentException($"The name of an atelier is not one line of 1 to {LongestName} characters.", nameof(name));
    }

    private static IServiceCollection Add(
        IServiceCollection services, string name, IConfigurationSection? section, Action<MuseAtelierHostOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        OptionsBuilder<MuseAtelierHostOptions> options = services.AddOptions<MuseAtelierHostOptions>(name).ValidateOnStart();
        if (section is not null) options.Configure(unread => OptionsReader.Fill(unread, section));
        options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MuseAtelierHostOptions>, OptionsValidator>());
        services.TryAddSingleton<AtelierOpener>(AtelierOpening.OpenAsync);
        bool isNew = !services.Any(
            each => each.IsKeyedService && each.ServiceType == typeof(HostedAtelier) && name.Equals(each.ServiceKey as string));
        if (!isNew) return services;
        services.AddKeyedSingleton(name, (provider, _) => CreateAtelier(provider, name));
        services.AddSingleton<IHostedService>(provider => CreateLifetime(provider, name));
        if (name.Length == 0) services.AddSingleton<IAtelier>(provider => provider.GetRequiredKeyedService<HostedAtelier>(name));
        else services.AddKeyedSingleton<IAtelier>(name, (provider, _) => provider.GetRequiredKeyedService<HostedAtelier>(name));
        return services;
    }

    private static HostedAtelier CreateAtelier(IServiceProvider services, string name)
    {
        var monitor = services.GetRequiredService<IOptionsMonitor<MuseAtelierHostOptions>>();
        var open = services.GetRequiredService<AtelierOpener>();
        return new HostedAtelier(
            () => monitor.Get(name),
            cancellationToken =>
            {
                MuseAtelierHostOptions options = monitor.Get(name);
                AtelierOptions translated = AtelierOpening.OptionsOf(options, name, services);
                return open(AtelierOpening.ModelOf(options, services), translated, cancellationToken);
            });
    }

    private static AtelierLifetime CreateLifetime(IServiceProvider services, string name)
    {
        ILoggerFactory loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        string shown = name.Length == 0 ? "default" : name;
        return new AtelierLifetime(services.GetRequiredKeyedService<HostedAtelier>(name), shown, loggers.CreateLogger(HostLog.Category));
    }
}
