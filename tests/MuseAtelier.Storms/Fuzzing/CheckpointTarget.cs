using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
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
    private static readonly string[] Types = ["F16", "F32", "BF16", "F64", "I8", "U8", "I64", "BOOL", "F8_E4M3", "F8_E5M2", "F4", ""];

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
            : Rearranged(random);
        byte[] prefix = new byte[PrefixBytes];
        long length = index > 0 && random.Next(30) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64) : header.Length;
        BinaryPrimitives.WriteInt64LittleEndian(prefix, length);
        using FileStream stream = File.Create(_path);
        stream.Write(prefix);
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

    // Sound headers that describe another model: shapes, types and names that are not SDXL's.
    private byte[] Rearranged(Random random)
    {
        JsonObject tensors = JsonNode.Parse(_header)!.AsObject();
        string[] names = [.. tensors.Select(tensor => tensor.Key).Where(name => name != "__metadata__")];
        for (int faults = 1 + random.Next(3); faults > 0; faults--)
        {
            string name = names[random.Next(names.Length)],
                other = names[random.Next(names.Length)];
            if (tensors[name] is not JsonObject tensor || tensors[other] is not JsonObject second)
                continue;
            long[] shape = [.. tensor["shape"]!.AsArray().Select(size => size!.GetValue<long>())];
            switch (random.Next(9))
            {
                case 0:
                    tensors.Remove(name);
                    break;
                case 1:
                    (tensors[name], tensors[other]) = (second.DeepClone(), tensor.DeepClone());
                    break;
                case 2:
                    tensor["shape"] = Shape(shape.Reverse());
                    break;
                case 3:
                    tensor["shape"] = Shape([shape.Aggregate(1L, (product, size) => product * size)]);
                    break;
                case 4:
                    tensor["shape"] = Shape([.. shape, 1]);
                    break;
                case 5:
                    tensor["shape"] = Shape([1, .. shape]);
                    break;
                case 6:
                    tensor["dtype"] = Types[random.Next(Types.Length)];
                    break;
                case 7:
                    tensors[Names[random.Next(Names.Length)]] = tensor.DeepClone();
                    break;
                default:
                    RemoveAll(tensors, name[..random.Next(1, name.Length)]);
                    break;
            }
        }

        return Encoding.UTF8.GetBytes(tensors.ToJsonString());

        static JsonArray Shape(IEnumerable<long> sizes) => [.. sizes.Select(size => JsonValue.Create(size))];
    }

    private static void RemoveAll(JsonObject tensors, string start)
    {
        foreach (
            string name in tensors.Select(tensor => tensor.Key).Where(name => name.StartsWith(start, StringComparison.Ordinal)).ToArray()
        )
            tensors.Remove(name);
    }
}
