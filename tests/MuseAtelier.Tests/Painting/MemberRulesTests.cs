using System.Reflection;
using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

/// <summary>
/// Every member of what a caller gives is checked before anything runs: a member that is new has to be given a rule, or a word here.
/// </summary>
public sealed class MemberRulesTests
{
    private static readonly PictureRequest Request = new()
    {
        Prompt = "a",
        Frame = new PictureFrame(FrameStyle.Ebony),
        Conditioning = new MicroConditioning(1024, 1024, 0, 0, 1024, 1024),
    };

    private static readonly PictureSource Source = new(new SourceImage(8, 8, new byte[8 * 8 * 3]));

    private static readonly InpaintMask Mask = new(new MaskImage(8, 8, Enumerable.Repeat(byte.MaxValue, 64).ToArray()));

    private static readonly PictureLora Lora = new() { Path = "a.safetensors" };

    private static readonly AtelierOptions Options = TestAtelier.Options with
    {
        Precisions = Precisions.All(Precision.Fp32),
        VaeTile = new TileSize(64, 64),
        HostMemory = 1L << 40,
    };

    // Values that are refused, for members whose type does not tell; none where any value will do.
    private static readonly Dictionary<string, object[]> Refused = new()
    {
        ["PictureRequest.Source"] =
        [
            Source with { Strength = -0.01f },
            Source with { Strength = 1.01f },
            Source with { Strength = float.NaN },
            Source with { Fit = (SourceFit)77 },
            Source with { Extend = new PictureMargins(-1, 0, 0, 0) },
            Source with { Extend = new PictureMargins(0, 0, 2049, 0) },
            Source with { Image = SourceImage.Reference(8, 8, new string('a', 64)) },
            Source with { Mask = Mask with { Blur = -1 } },
            Source with { Mask = Mask with { Blur = 65 } },
            Source with { Mask = Mask with { Content = (MaskedContent)77 } },
            Source with { Mask = Mask with { OnlyMaskedPadding = -1 } },
            Source with { Mask = Mask with { OnlyMaskedPadding = 1025 } },
            Source with { Mask = Mask with { Image = MaskImage.Reference(8, 8, new string('a', 64)) } },
            Source with { Mask = new InpaintMask(new MaskImage(8, 8, new byte[64])) },
        ],
        ["PictureRequest.Hires"] =
        [
            new HiresPass { Scale = 1 },
            new HiresPass { Scale = 8.01f },
            new HiresPass { Scale = float.NaN },
            new HiresPass { Strength = 0 },
            new HiresPass { Strength = 1.01f },
            new HiresPass { Strength = float.NaN },
            new HiresPass { Steps = 0 },
            new HiresPass { Steps = 1001 },
            new HiresPass { GuidanceScale = 0.5f },
            new HiresPass { Sampler = new SamplerName("abacus") },
            new HiresPass { Prompt = "a\uD83C" },
            new HiresPass { Loras = [null!] },
            new HiresPass { Loras = [Lora with { Strength = 100.1f }] },
            new HiresPass { Loras = [Lora with { Path = "" }] },
            new HiresPass { Loras = [.. Enumerable.Repeat(Lora, 101)] },
        ],
        ["PictureRequest.Loras"] =
        [
            new PictureLora[] { null! },
            Enumerable.Repeat(Lora, 101).ToArray(),
            new[] { Lora with { Path = " " } },
            new[] { Lora with { Strength = 100.1f } },
            new[] { Lora with { Strength = float.NaN } },
            new[] { Lora with { TextStrength = -100.1f } },
            new[] { Lora with { TextStrength = float.NegativeInfinity } },
            new[] { Lora with { Sha256 = "a" } },
        ],
        ["PictureRequest.Prompt"] = [new string('a', (1 << 18) + 1), "a\uD83C", "\uDF0C\uD83C", "\uD83Cb"],
        ["PictureRequest.NegativePrompt"] = [new string('a', (1 << 18) + 1), "\uD83C\uD83C\uDF0C"],
        ["PictureRequest.Seed"] = [],
        ["PictureRequest.NoiseSource"] = [new NoiseSource("dice")],
        ["PictureRequest.Sampler"] = [new SamplerName("abacus")],
        ["PictureRequest.Width"] = [0, -8, 250, 1020, 4104, int.MaxValue, int.MinValue],
        ["PictureRequest.Height"] = [0, -8, 250, 1020, 4104, int.MaxValue, int.MinValue],
        ["PictureRequest.Steps"] = [0, -1, 1001, int.MaxValue, int.MinValue],
        ["PictureRequest.CommaBacktrack"] = [-1, 76, int.MaxValue, int.MinValue],
        ["PictureRequest.ClipSkip"] = [0, -2, 13, int.MaxValue, int.MinValue],
        ["PictureRequest.VariationSeed"] = [],
        ["PictureRequest.VariationStrength"] = [-0.01f, 1.01f],
        ["PictureRequest.Eta"] = [-0.01f, 1.01f],
        ["PictureRequest.GuidanceScale"] = [0.01f, 0.99f, -7f, 100.1f, float.MaxValue],
        ["PictureRequest.GuidanceRescale"] = [-0.01f, 1.01f],
        ["PictureRequest.GuidanceFrom"] = [-0.01f, 1.01f],
        ["PictureRequest.GuidanceTo"] = [-0.01f, 1.01f],
        ["NoiseSchedule.Karras"] = [],
        ["NoiseSchedule.Timesteps"] = [new TimestepList(999), new TimestepList(999, 499)],
        ["MicroConditioning.OriginalWidth"] = [-1, 16_385, int.MaxValue, int.MinValue],
        ["MicroConditioning.OriginalHeight"] = [-1, 16_385, int.MaxValue, int.MinValue],
        ["MicroConditioning.CropLeft"] = [-1, 16_385, int.MaxValue, int.MinValue],
        ["MicroConditioning.CropTop"] = [-1, 16_385, int.MaxValue, int.MinValue],
        ["MicroConditioning.TargetWidth"] = [-1, 16_385, int.MaxValue, int.MinValue],
        ["MicroConditioning.TargetHeight"] = [-1, 16_385, int.MaxValue, int.MinValue],
        ["AtelierOptions.CacheFolder"] = ["", "  ", "a\0b"],
        ["AtelierOptions.LoraFolders"] = [new string[] { null! }, new[] { " " }, new[] { "a\0b" }],
        ["AtelierOptions.EmbeddingFolders"] = [new string[] { null! }, new[] { " " }, new[] { "a\0b" }],
        ["AtelierOptions.VaeFile"] = ["", "  ", "a\0b"],
        ["AtelierOptions.VerifyDigests"] = [],
        // A budget cannot be constructed with fewer than 0 bytes: see MemoryBudgetTests.
        ["AtelierOptions.DeviceMemory"] = [],
        ["AtelierOptions.HostMemory"] = [],
        ["AtelierOptions.WatchMemory"] = [],
        ["AtelierOptions.DecodesInFp32"] = [],
        ["AtelierOptions.Previews"] = [],
        ["AtelierOptions.PreviewInterval"] = [TimeSpan.FromTicks(-1), TimeSpan.MinValue],
        ["AtelierOptions.Name"] = ["", "  ", "two\nlines", new string('a', 65)],
        ["AtelierOptions.QueueCapacity"] = [0, -1, 100_001, int.MaxValue, int.MinValue],
        ["AtelierOptions.LoggerFactory"] = [],
        ["AtelierOptions.MeterFactory"] = [],
        ["AtelierOptions.Samplers"] =
        [
            new SamplerRegistration[] { null! },
            new SamplerRegistration[] { new(new SamplerName("own"), "Own", null!) },
            new SamplerRegistration[] { new(new SamplerName("own"), null!, MakeSampler) },
            new SamplerRegistration[] { new(new SamplerName("own"), "two\nlines", MakeSampler) },
            new SamplerRegistration[] { new(new SamplerName("EULER"), "Own", MakeSampler) },
            new SamplerRegistration[] { new(new SamplerName("own"), "Own", MakeSampler), new(new SamplerName("Own"), "Own", MakeSampler) },
        ],
        ["AtelierOptions.NoiseSources"] =
        [
            new NoiseSourceRegistration[] { null! },
            new NoiseSourceRegistration[] { new(new NoiseSource("own"), null!) },
            new NoiseSourceRegistration[] { new(NoiseSource.Comfy, MakeNoise) },
        ],
        ["TileSize.Width"] = [0, -1, 31, 513, int.MaxValue, int.MinValue],
        ["TileSize.Height"] = [0, -1, 31, 513, int.MaxValue, int.MinValue],
        ["BatchSlot.BatchSize"] = [0, -1, 9, int.MaxValue, int.MinValue],
        ["BatchSlot.Index"] = [-1, 3, int.MaxValue, int.MinValue],
        ["ResidencyRequest.Budget"] = [-1L, long.MinValue],
        ["ResidencyRequest.Width"] = [0, 1020, 4104],
        ["ResidencyRequest.Height"] = [0, 1020, 4104],
        ["ResidencyRequest.Steps"] = [0, 1001],
        ["ResidencyRequest.Count"] = [0, -1],
        ["ResidencyRequest.BatchSize"] = [0, -1, 2, 9],
        ["ResidencyRequest.Guided"] = [],
        ["ResidencyRequest.EncodesSource"] = [],
        ["ResidencyRequest.HasLoras"] = [],
        ["ResidencyRequest.MergedBytes"] = [-1L],
        ["ResidencyRequest.SecondPass"] = [],
        ["ResidencyRequest.UnguidedSteps"] = [-1, 31, int.MaxValue],
        ["ResidencyRequest.PromptParts"] = [0, -1, 16, int.MaxValue],
        ["ResidencyRequest.PromptSets"] = [0, -1, 65, int.MaxValue],
        ["ResidencyRequest.PromptChunks"] = [0, -1, 65, int.MaxValue],
        ["ResidencyRequest.DecodesInFp32"] = [],
        ["ResidencyRequest.PinnedBytes"] = [-1L],
        ["ResidencyRequest.NoiseBytes"] = [-1L],
        ["FidelityRequest.Seeds"] = [0, -1, 10_001, int.MaxValue],
        ["FidelityRequest.Width"] = [0, 1020],
        ["FidelityRequest.Height"] = [0, 1020],
        ["FidelityRequest.Steps"] = [0, 1001],
        ["FidelityRequest.WithPictures"] = [],
    };

    [Fact]
    public void Request_OfEveryMember_IsChecked() => AssertChecked(Request, PictureRequestException.ThrowIfUnpaintable);

    [Fact]
    public void Request_OfGoodValues_Passes()
    {
        PictureRequestException.ThrowIfUnpaintable(Request);
        PictureRequestException.ThrowIfUnpaintable(Request with
        {
            Prompt = "🌌" + new string('a', (1 << 18) - 2),
            Conditioning = new MicroConditioning(0, 16_384, 16_384, 0, 0, 16_384),
            GuidanceScale = 100,
            Seed = ulong.MaxValue,
        });
        PictureRequestException.ThrowIfUnpaintable(Request with
        {
            GuidanceScale = 0,
            GuidanceFrom = 1,
            GuidanceRescale = 1,
            Eta = 0,
            VariationStrength = 1,
            CommaBacktrack = 75,
            ClipSkip = 12,
            Steps = 2,
            Schedule = new NoiseSchedule { Timesteps = new TimestepList(999, 0) },
        });
    }

    [Fact]
    public async Task GenerateAsync_OfAnythingRefused_SaysSoAndPaintsOn()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        await using Atelier atelier = await Atelier.OpenAsync(TestAtelier.Checkpoint, TestAtelier.Options, cancellationToken: stop);
        AssertChecked(Request, request => Wait(atelier.GenerateAsync(request)));
        AssertChecked(Request, request => atelier.GenerateManyAsync(request, 2));
        AssertChecked(new BatchSlot(3, 1), place => Wait(atelier.GenerateAsync(TestAtelier.Small, place)));
        await atelier.GenerateAsync(TestAtelier.Small with { Steps = 1 }, cancellationToken: stop);
    }

    // None of the models is there: what is checked is checked before.
    [Fact]
    public void Options_OfEveryMember_AreCheckedWhereverTheyAreTaken()
    {
        AssertChecked(Options, options => Wait(Atelier.OpenAsync("nowhere", options)));
        AssertChecked(Options, options => Atelier.Plan("nowhere", options, Request));
        AssertChecked(Request, request => Atelier.Plan("nowhere", Options, request));
        AssertChecked(Options, options => Wait(ReferenceCheck.RunAsync("nowhere", "nowhere", options)));
        AssertChecked(Options, options => Wait(FidelityCheck.RunAsync("nowhere", options, new FidelityRequest())));
        AssertChecked(new FidelityRequest(), request => Wait(FidelityCheck.RunAsync("nowhere", Options, request)));
    }

    [Fact]
    public void Plan_OfEveryMember_IsChecked()
    {
        ModelSizes sizes = ModelSizes.Read(TestAtelier.Checkpoint, Lowering.Portable);
        AssertChecked(
            new ResidencyRequest { Frame = Request.Frame, VaeTile = new TileSize(64, 64) },
            request => ResidencyPlanner.Plan(sizes, request, DeviceProfile.Processor));
    }

    private static EulerSampler MakeSampler(SamplerSettings settings) => new(settings.Schedule);

    private static PictureNoise MakeNoise(ulong seed) => NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, seed);

    // Every member with every value that is refused, one at a time; members of members too.
    private static void AssertChecked<T>(T good, Action<T> use) where T : notnull
    {
        Assert.NotEmpty(Members(good.GetType()));
        foreach ((string name, object bad) in Variants(good))
        {
            Exception? exception = Record.Exception(() => use((T)bad));
            Assert.True(
                exception is PictureRequestException or ArgumentException,
                $"{typeof(T).Name} with bad {name}: {exception?.ToString() ?? "was taken"}");
        }
    }

    private static IEnumerable<(string Name, object Value)> Variants(object good)
    {
        foreach (PropertyInfo member in Members(good.GetType()))
        {
            string name = $"{good.GetType().Name}.{member.Name}";
            object? value = member.GetValue(good);
            foreach ((string part, object? refused) in RefusedValues(member, name, value)) yield return (part, With(good, member, refused));
        }
    }

    private static IEnumerable<(string Name, object? Value)> RefusedValues(PropertyInfo member, string name, object? value)
    {
        Type type = Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType;
        bool isKnown = Refused.TryGetValue(name, out object[]? values);
        foreach (object refused in values ?? []) yield return ($"{name} = {refused}", refused);
        if (!type.IsValueType && new NullabilityInfoContext().Create(member).WriteState == NullabilityState.NotNull)
            yield return ($"{name} = null", null);
        if (type.IsEnum)
        {
            foreach (int number in (int[])[77, -1, int.MaxValue]) yield return ($"{name} = {number}", Enum.ToObject(type, number));
        }
        else if (type == typeof(float) || type == typeof(double))
        {
            Assert.True(isKnown, $"{name} has no rule.");
            foreach (double number in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity])
                yield return ($"{name} = {number}", Convert.ChangeType(number, type, System.Globalization.CultureInfo.InvariantCulture));
        }
        else if (!isKnown && Members(type).Any() && type.Namespace!.StartsWith(nameof(MuseAtelier), StringComparison.Ordinal))
        {
            Assert.True(value is not null, $"{name} is null here, so that its own members are not looked at.");
            foreach ((string part, object refused) in Variants(value)) yield return ($"{name}: {part}", refused);
        }
        else
        {
            Assert.True(isKnown || type == typeof(Backend), $"{name} has no rule. Give it one, or say here that any value will do.");
        }
    }

    private static IEnumerable<PropertyInfo> Members(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(member => member.SetMethod is { IsPublic: true });

    private static object With(object good, PropertyInfo member, object? value)
    {
        object copy = typeof(object).GetMethod("MemberwiseClone", BindingFlags.NonPublic | BindingFlags.Instance)!.Invoke(good, null)!;
        member.SetValue(copy, value);
        return copy;
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();
}
