using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MuseAtelier.Cpu;
using MuseAtelier.Hosting;

namespace MuseAtelier.Tests.Hosting;

public sealed class HostOptionsTests
{
    private static readonly Dictionary<string, string?> All = new()
    {
        ["MuseAtelier:Model"] = "models/one.safetensors",
        ["MuseAtelier:DeviceMemory"] = "8GiB",
        ["MuseAtelier:HostMemory"] = "3.5 GiB",
        ["MuseAtelier:CacheFolder"] = "/cache",
        ["MuseAtelier:LoraFolders:0"] = "/loras",
        ["MuseAtelier:LoraFolders:1"] = "/more",
        ["MuseAtelier:EmbeddingFolders"] = "/embeddings",
        ["MuseAtelier:VaeFile"] = "/vae.safetensors",
        ["MuseAtelier:VerifyDigests"] = "true",
        ["MuseAtelier:Offload"] = "stream",
        ["MuseAtelier:WatchMemory"] = "True",
        ["MuseAtelier:VaeTiling"] = "Tiled",
        ["MuseAtelier:DecodesInFp32"] = "true",
        ["MuseAtelier:Previews"] = "true",
        ["MuseAtelier:QueueCapacity"] = "12",
        ["MuseAtelier:Disposal"] = "Drain",
        ["MuseAtelier:WarmUp"] = "AtStart",
        ["MuseAtelier:WarmUpPicture"] = "true",
    };

    [Fact]
    public void Section_WithEverySetting_ReachesTheAtelier()
    {
        MuseAtelierHostOptions options = Read(All);
        Assert.Equal(OptionsReader.Keys.Order(), All.Keys.Select(key => key.Split(':')[1]).Distinct().Order());
        Assert.Equal((DisposalMode.Drain, WarmUpMode.AtStart, true), (options.Disposal, options.WarmUp, options.WarmUpPicture));
        using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        AtelierOptions translated = AtelierOpening.OptionsOf(options, "portraits", services);
        Assert.Equal(["/loras", "/more"], translated.LoraFolders);
        Assert.Equal(["/embeddings"], translated.EmbeddingFolders);
        var expected = new AtelierOptions
        {
            Backend = options.Backend!,
            DeviceMemory = MemoryBudget.Parse("8GiB"),
            HostMemory = MemoryBudget.Parse("3.5 GiB"),
            CacheFolder = "/cache",
            LoraFolders = translated.LoraFolders,
            EmbeddingFolders = translated.EmbeddingFolders,
            VaeFile = "/vae.safetensors",
            VerifyDigests = true,
            Offload = OffloadMode.Stream,
            WatchMemory = true,
            VaeTiling = VaeTiling.Tiled,
            DecodesInFp32 = true,
            Previews = true,
            QueueCapacity = 12,
            Name = "portraits",
        };
        Assert.Equal(expected, translated);
    }

    [Fact]
    public void Defaults_OfBothOptions_AreEqual()
    {
        using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        var options = new MuseAtelierHostOptions { Model = "m", Backend = CpuBackend.Create() };
        Assert.Equal(new AtelierOptions { Backend = options.Backend }, AtelierOpening.OptionsOf(options, "", services));
    }

    [Fact]
    public void Configure_OfAtelierOptions_HasTheLastWordButOnDisposal()
    {
        using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        var options = new MuseAtelierHostOptions
        {
            Model = "m",
            BackendFactory = _ => CpuBackend.Create(),
            QueueCapacity = 5,
            Configure = atelier => atelier with
            {
                VaeTile = new TileSize(48, 48),
                QueueCapacity = atelier.QueueCapacity + 1,
                Disposal = DisposalMode.Drain,
            },
        };
        AtelierOptions translated = AtelierOpening.OptionsOf(options, "", services);
        Assert.Equal((new TileSize(48, 48), 6), (translated.VaeTile!.Value, translated.QueueCapacity));
        Assert.Equal(DisposalMode.Abort, translated.Disposal);
    }

    [Fact]
    public void Paths_ThatAreRelative_AreRelativeToTheContentRoot()
    {
        string root = Path.GetFullPath("content");
        using ServiceProvider services = new ServiceCollection()
            .AddSingleton<IHostEnvironment>(new Environment { ContentRootPath = root })
            .BuildServiceProvider();
        var options = new MuseAtelierHostOptions { Model = "a.safetensors", CacheFolder = "cache", Backend = CpuBackend.Create() };
        Assert.Equal(Path.Combine(root, "a.safetensors"), AtelierOpening.ModelOf(options, services));
        Assert.Equal(Path.Combine(root, "cache"), AtelierOpening.OptionsOf(options, "", services).CacheFolder);
        options.Model = Path.GetFullPath("b.safetensors");
        Assert.Equal(options.Model, AtelierOpening.ModelOf(options, services));
    }

    [Theory]
    [InlineData("DeviceMemory", "8 apples", "MuseAtelier:DeviceMemory is '8 apples'; expected a number with a unit, such as 4GiB")]
    [InlineData("HostMemory", "-1", "MuseAtelier:HostMemory is '-1'; expected a number with a unit")]
    [InlineData("Offload", "Banana", "MuseAtelier:Offload is 'Banana'; expected one of Auto, Resident, Stream, Rotate.")]
    [InlineData("Offload", "1", "MuseAtelier:Offload is '1'; expected one of Auto, Resident, Stream, Rotate.")]
    [InlineData("WarmUp", "Now", "MuseAtelier:WarmUp is 'Now'; expected one of InBackground, AtStart, OnFirstUse.")]
    [InlineData("Previews", "yes", "MuseAtelier:Previews is 'yes'; expected true or false.")]
    [InlineData("QueueCapacity", "many", "MuseAtelier:QueueCapacity is 'many'; expected a whole number.")]
    [InlineData("QueueCapacity", "0", "MuseAtelier:QueueCapacity is 0; expected 1 to 100000 requests.")]
    [InlineData("Model", "", "MuseAtelier:Model is not set; expected the path of a package's folder or of an SDXL single-file checkpoint.")]
    public void Section_WithAnInvalidValue_IsRefusedWithKeyValueAndRange(string key, string value, string message)
    {
        OptionsValidationException exception = Assert.Throws<OptionsValidationException>(
            () => Read(new(All) { [$"MuseAtelier:{key}"] = value }));
        Assert.StartsWith(message, Assert.Single(exception.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void Section_WithTwoInvalidValues_NamesBoth()
    {
        var settings = new Dictionary<string, string?>(All) { ["MuseAtelier:Offload"] = "x", ["MuseAtelier:WarmUp"] = "y" };
        Assert.Equal(2, Assert.Throws<OptionsValidationException>(() => Read(settings)).Failures.Count());
    }

    [Fact]
    public void Section_WithEmptyValues_KeepsTheDefaults()
    {
        var settings = All.ToDictionary(each => each.Key, _ => (string?)"");
        settings["MuseAtelier:Model"] = "m";
        MuseAtelierHostOptions options = Read(settings);
        Assert.Null(options.DeviceMemory);
        Assert.Equal((1024, WarmUpMode.InBackground), (options.QueueCapacity, options.WarmUp));
    }

    [Fact]
    public void UnknownKeys_OfASection_AreFoundButNotSectionsWithin()
    {
        IConfigurationSection section = Section(new(All)
        {
            ["MuseAtelier:DeviceMemroy"] = "1GiB",
            ["MuseAtelier:Portraits:Model"] = "m",
        });
        Assert.Equal(["MuseAtelier:DeviceMemroy"], OptionsReader.UnknownKeys(section));
    }

    [Fact]
    public void Code_WithInvalidValues_IsRefusedWithThePropertyAndTheAtelier()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddMuseAtelier("portraits", options =>
            {
                options.DeviceMemory = "much";
                options.Disposal = (DisposalMode)7;
            })
            .BuildServiceProvider();
        var monitor = services.GetRequiredService<IOptionsMonitor<MuseAtelierHostOptions>>();
        string[] failures = [.. Assert.Throws<OptionsValidationException>(() => monitor.Get("portraits")).Failures];
        Assert.Equal(4, failures.Length);
        Assert.StartsWith("MuseAtelierHostOptions.Model of the atelier 'portraits' is not set;", failures[0], StringComparison.Ordinal);
        Assert.Contains("both null; expected one of them", failures[1], StringComparison.Ordinal);
        Assert.Contains("DeviceMemory of the atelier 'portraits' is 'much'; expected", failures[2], StringComparison.Ordinal);
        Assert.EndsWith("is 7; expected one of Abort, Drain.", failures[3], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("two\nlines")]
    [InlineData("a name that is longer than the sixty-four characters that are allowed")]
    public void AddMuseAtelier_WithANameThatTagsCannotHave_Throws(string name) =>
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddMuseAtelier(name, _ => { }));

    private static MuseAtelierHostOptions Read(Dictionary<string, string?> settings)
    {
        using ServiceProvider services = new ServiceCollection()
            .AddMuseAtelier(Section(settings), options => options.Backend = CpuBackend.Create())
            .BuildServiceProvider();
        return services.GetRequiredService<IOptions<MuseAtelierHostOptions>>().Value;
    }

    private static IConfigurationSection Section(Dictionary<string, string?> settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("MuseAtelier");

    private sealed class Environment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "Test";

        public string ApplicationName { get; set; } = "Test";

        public required string ContentRootPath { get; set; }

        public Microsoft.Extensions.FileProviders.IFileProvider ContentRootFileProvider { get; set; } = null!;
    }
}
