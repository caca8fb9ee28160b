using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Networks;
using MuseAtelier.Format;
using MuseAtelier.Storms.Running;
using MuseAtelier.Tests.Support;
using MuseAtelier.Tests.Upscaling;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damaged upscalers in the formats of PyTorch, of which nothing is executed.</summary>
internal sealed class TorchTarget : FuzzTarget
{
    private const int Side = 16,
        Channels = 3;

    private readonly TorchFuzz[] _files;
    private readonly string _path;

    public TorchTarget()
    {
        _path = Folder.Place("damaged.pth");
        _files =
        [
            TorchFuzz.Archive(MadeUpUpscaler.Compact(), "params_ema"),
            TorchFuzz.Archive(MadeUpUpscaler.Numbered(), null),
            TorchFuzz.Legacy(_path, MadeUpUpscaler.Compact(scale: 2), "params"),
            TorchFuzz.Archive(MadeUpUpscaler.Compact(), null, isZip64: true),
        ];
    }

    public override byte[] Prepare(Random random, int index) =>
        index == 0 ? _files[0].WriteSound(_path) : _files[random.Next(_files.Length)].Write(random, _path);

    public override void Read()
    {
        using TensorFile file = TensorFile.Open(_path);
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
            if (tensor.WeightType is not null) file.ReadFloats(tensor.Name);
        UpscalerNetworks.Describe(file, ElementType.F16);
    }

    public override async Task UseAsync()
    {
        var options = new AtelierOptions { Backend = StormDevice.Cpu.Create(), CacheFolder = Folder.Cache };
        await using Upscaler upscaler = await Upscaler.OpenAsync(_path, options);
        await upscaler.UpscaleAsync(new SourceImage(Side, Side, new byte[Side * Side * Channels]));
    }
}
