using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Storms.Running;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damaged LoRAs of all families, which are merged into the weights of the Miniature.</summary>
internal sealed class LoraTarget : FuzzTarget
{
    private static readonly PictureRequest Request = new()
    {
        Prompt = "a starry night",
        Width = 256,
        Height = 256,
        Steps = 1,
        Seed = 7,
    };

    private readonly byte[][] _files;
    private readonly string _path;
    private readonly AtelierOptions _options;
    private readonly ModelPackage _package;
    private readonly byte[] _weight;

    public LoraTarget()
    {
        _path = Folder.Place("damaged.safetensors");
        _options = new AtelierOptions { Backend = StormDevice.Cpu.Create(), CacheFolder = Folder.Cache };
        _package = _options.OpenPackage(StormFolder.Miniature, null, CancellationToken.None);
        _weight = new byte[Weights().Max(weight => weight.Bytes)];
        _files = [.. LoraSamples.All().Select(sample => File.ReadAllBytes(sample.Write(_path)))];
    }

    public override byte[] Prepare(Random random, int index)
    {
        byte[] sound = _files[random.Next(_files.Length)];
        byte[] input = index == 0 ? sound : SafetensorsFuzz.Damage(random, sound, LoraSamples.Names);
        File.WriteAllBytes(_path, input);
        return input;
    }

    public override unsafe void Read()
    {
        using LoraFile file = LoraFile.Open(_path);
        _ = file.ShortHash;
        LoraSet set = LoraSet.Of(_package.Manifest, [new LoraUse(file, 0.7f, 0.4f), new LoraUse(file, -1, 1)]);
        foreach (WeightSpec weight in Weights().Where(set.Touches))
        {
            Span<byte> bytes = _weight.AsSpan(0, (int)weight.Bytes);
            new ReadOnlySpan<byte>((byte*)_package.MappedWeight(weight), bytes.Length).CopyTo(bytes);
            set.Merge(weight, bytes);
        }
    }

    public override async Task UseAsync()
    {
        await using Atelier atelier = await Atelier.OpenAsync(StormFolder.Miniature, _options);
        await atelier.GenerateAsync(Request with { Loras = [new PictureLora { Path = _path, Strength = 0.5f }] });
    }

    public override void Dispose()
    {
        _package.Dispose();
        base.Dispose();
    }

    private IEnumerable<WeightSpec> Weights() => _package.Manifest.Components
        .SelectMany(component => component.Stages)
        .SelectMany(stage => stage.Weights.Concat(stage.Constants));
}
