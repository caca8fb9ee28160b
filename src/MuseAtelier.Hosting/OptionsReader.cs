using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace MuseAtelier.Hosting;

/// <summary>
/// Reads the options of an atelier from a section of the configuration. Unlike a general binder it collects every value that it cannot
/// read, with what would be valid, and needs neither reflection nor generated code.
/// </summary>
internal static class OptionsReader
{
    private delegate string? Read(MuseAtelierHostOptions options, string value);

    private static readonly Dictionary<string, Read> Readers = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(MuseAtelierHostOptions.Model)] = Text((options, value) => options.Model = value),
        [nameof(MuseAtelierHostOptions.DeviceMemory)] = Text((options, value) => options.DeviceMemory = value),
        [nameof(MuseAtelierHostOptions.HostMemory)] = Text((options, value) => options.HostMemory = value),
        [nameof(MuseAtelierHostOptions.CacheFolder)] = Text((options, value) => options.CacheFolder = value),
        [nameof(MuseAtelierHostOptions.VaeFile)] = Text((options, value) => options.VaeFile = value),
        [nameof(MuseAtelierHostOptions.VerifyDigests)] = Switch((options, value) => options.VerifyDigests = value),
        [nameof(MuseAtelierHostOptions.Offload)] = Choice<OffloadMode>((options, value) => options.Offload = value),
        [nameof(MuseAtelierHostOptions.WatchMemory)] = Switch((options, value) => options.WatchMemory = value),
        [nameof(MuseAtelierHostOptions.VaeTiling)] = Choice<VaeTiling>((options, value) => options.VaeTiling = value),
        [nameof(MuseAtelierHostOptions.DecodesInFp32)] = Switch((options, value) => options.DecodesInFp32 = value),
        [nameof(MuseAtelierHostOptions.Previews)] = Switch((options, value) => options.Previews = value),
        [nameof(MuseAtelierHostOptions.QueueCapacity)] = Number((options, value) => options.QueueCapacity = value),
        [nameof(MuseAtelierHostOptions.Disposal)] = Choice<DisposalMode>((options, value) => options.Disposal = value),
        [nameof(MuseAtelierHostOptions.WarmUp)] = Choice<WarmUpMode>((options, value) => options.WarmUp = value),
        [nameof(MuseAtelierHostOptions.WarmUpPicture)] = Switch((options, value) => options.WarmUpPicture = value),
    };

    private static readonly Dictionary<string, Action<MuseAtelierHostOptions, IReadOnlyList<string>>> Lists =
        new(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(MuseAtelierHostOptions.LoraFolders)] = (options, values) => options.LoraFolders = values,
            [nameof(MuseAtelierHostOptions.EmbeddingFolders)] = (options, values) => options.EmbeddingFolders = values,
        };

    /// <summary>The names of all settings that can come from configuration.</summary>
    public static IReadOnlyCollection<string> Keys => [.. Readers.Keys, .. Lists.Keys];

    /// <summary>
    /// Reads all values that the section has. An empty value counts as none, because an environment variable cannot be unset everywhere.
    /// </summary>
    public static void Fill(MuseAtelierHostOptions options, IConfigurationSection section)
    {
        options.Section = section;
        foreach ((string key, Action<MuseAtelierHostOptions, IReadOnlyList<string>> set) in Lists)
        {
            string[] values = [.. ValuesOf(section.GetSection(key))];
            if (values.Length > 0) set(options, values);
        }

        foreach ((string key, Read read) in Readers)
        {
            IConfigurationSection setting = section.GetSection(key);
            if (string.IsNullOrWhiteSpace(setting.Value)) continue;
            if (read(options, setting.Value) is { } expected)
                options.ReadingFailures.Add($"{setting.Path} is '{setting.Value}'; expected {expected}.");
        }
    }

    /// <summary>
    /// The keys of a section that name no setting, such as misspelt ones. Keys that hold sections belong to the program.
    /// </summary>
    public static IEnumerable<string> UnknownKeys(IConfigurationSection section) =>
        from child in section.GetChildren()
        where child.Value is not null && !Readers.ContainsKey(child.Key) && !Lists.ContainsKey(child.Key)
        select child.Path;

    // Such as LoraFolders__0 and LoraFolders__1 of the environment; or the only one, such as LoraFolders.
    private static IEnumerable<string> ValuesOf(IConfigurationSection setting) =>
        from value in setting.GetChildren().Select(child => child.Value).Prepend(setting.Value)
        where !string.IsNullOrWhiteSpace(value)
        select value;

    private static Read Text(Action<MuseAtelierHostOptions, string> set) => (options, value) =>
    {
        set(options, value);
        return null;
    };

    private static Read Switch(Action<MuseAtelierHostOptions, bool> set) => (options, value) =>
    {
        if (!bool.TryParse(value, out bool isOn)) return "true or false";
        set(options, isOn);
        return null;
    };

    private static Read Number(Action<MuseAtelierHostOptions, int> set) => (options, value) =>
    {
        if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)) return "a whole number";
        set(options, number);
        return null;
    };

    private static Read Choice<T>(Action<MuseAtelierHostOptions, T> set) where T : struct, Enum => (options, value) =>
    {
        // TryParse alone also accepts numbers and lists.
        string? name = Enum.GetNames<T>().FirstOrDefault(each => each.Equals(value.Trim(), StringComparison.OrdinalIgnoreCase));
        if (name is null) return $"one of {string.Join(", ", Enum.GetNames<T>())}";
        set(options, Enum.Parse<T>(name));
        return null;
    };
}
