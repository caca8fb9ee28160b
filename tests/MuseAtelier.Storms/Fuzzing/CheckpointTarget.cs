using System.Buffers.Binary;
using MuseAtelier.Export;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Checkpoints with damaged headers; their data is a hole in the file, which takes no room.</summary>
internal sealed class CheckpointTarget : FuzzTarget
{
    private const int PrefixBytes = 8;

    private static readonly string[] Names =
    [
        "model.diffusion_model.input_blocks.999999999.0.weight",
        "model.diffusion_model.input_blocks.2147483648.0.weight",
        "first_stage_model.decoder.up.77.block.0.conv1.weight",
        "conditioner.embedders.1.model.transformer.resblocks.99999999999.attn.in_proj_weight",
        "scaled_fp8",
        "v_pred",
    ];

    private readonly byte[] _header;
    private readonly long _dataBytes;
    private readonly string _path;
    private readonly AtelierOptions _options;

    public CheckpointTarget()
    {
        _path = Folder.Place("damaged.safetensors");
        _options = new AtelierOptions { Backend = StormDevice.Cpu.Create(), CacheFolder = Folder.Cache };
        using FileStream stream = File.OpenRead(StormFolder.Miniature);
        byte[] prefix = new byte[PrefixBytes];
        stream.ReadExactly(prefix);
        _header = new byte[BinaryPrimitives.ReadInt64LittleEndian(prefix)];
        stream.ReadExactly(_header);
        _dataBytes = stream.Length - PrefixBytes - _header.Length;
    }

    public override byte[] Prepare(Random random, int index)
    {
        byte[] header =
            index == 0 ? _header
            : random.Next(2) == 0 ? JsonFuzz.Damage(random, _header)
            : SafetensorsFuzz.Rearrange(random, _header, Names);
        long length = index > 0 && random.Next(30) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64) : header.Length;
        using FileStream stream = File.Create(_path);
        stream.Write(SafetensorsFuzz.Prefix(length));
        stream.Write(header);
        stream.SetLength(stream.Length + (index > 0 && random.Next(30) == 0 ? random.NextInt64(_dataBytes) : _dataBytes));
        return header;
    }

    public override void Read()
    {
        CheckpointExporter.Describe(_path, new ExportOptions());
        Atelier.Plan(
            _path,
            _options,
            new PictureRequest
            {
                Prompt = "a",
                Width = 256,
                Height = 256,
                Steps = 1,
            }
        );
    }

    public override Task UseAsync()
    {
        CheckpointExporter.Export(_path, Folder.Place("package"), new ExportOptions());
        return Task.CompletedTask;
    }
}
