using MuseAtelier.Format;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Packages of the Miniature with damaged manifests.</summary>
internal sealed class ManifestTarget : FuzzTarget
{
    private static readonly PictureRequest Request = new()
    {
        Prompt = "a starry night",
        Width = 256,
        Height = 256,
        Steps = 1,
        Seed = 7,
    };

    private readonly string _package;
    private readonly byte[] _manifest;
    private readonly AtelierOptions _options;

    public ManifestTarget()
    {
        _options = new AtelierOptions { Backend = StormDevice.Cpu.Create(), CacheFolder = Folder.Cache };
        using (ModelPackage package = _options.OpenPackage(StormFolder.Model, null, CancellationToken.None))
            _package = package.Folder;
        _manifest = File.ReadAllBytes(Path.Combine(_package, PackageManifest.FileName));
    }

    public override byte[] Prepare(Random random, int index)
    {
        byte[] input = index == 0 ? _manifest : JsonFuzz.Damage(random, _manifest);
        File.WriteAllBytes(Path.Combine(_package, PackageManifest.FileName), input);
        return input;
    }

    // Does everything that precedes the creation of sessions.
    public override void Read()
    {
        using ModelPackage package = ModelPackage.Open(_package, verifyDigests: false, null, CancellationToken.None);
        Atelier.Plan(_package, _options, Request);
        foreach (
            WeightSpec weight in package.Manifest.Components.SelectMany(component => component.Stages).SelectMany(stage => stage.Weights)
        )
            Touch(package.MappedWeight(weight), weight.Bytes);
    }

    public override async Task UseAsync()
    {
        await using Atelier atelier = await Atelier.OpenAsync(_package, _options);
        await atelier.GenerateAsync(Request);
    }

    private static unsafe void Touch(nint start, long bytes)
    {
        if (bytes > 0)
            _ = ((byte*)start)[0] + ((byte*)start)[bytes - 1];
    }
}
