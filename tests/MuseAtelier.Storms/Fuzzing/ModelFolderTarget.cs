using System.Buffers.Binary;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Storms.Running;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>
/// Models in several files of which one is damaged: in diffusers' layout, with each part by itself, and a VAE beside a checkpoint. The data
/// of the files are holes, which take no room.
/// </summary>
internal sealed class ModelFolderTarget : FuzzTarget
{
    private const int PrefixBytes = 8,
        Shards = 2;

    private static readonly PictureRequest Request = new()
    {
        Prompt = "a",
        Width = 256,
        Height = 256,
        Steps = 1,
    };
    private static readonly string[] Names =
    [
        "down_blocks.999999999.resnets.0.conv1.weight",
        "up_blocks.-1.attentions.0.proj_in.weight",
        "mid_block.resnets.2147483648.conv1.weight",
        "text_model.encoder.layers.99999999999.mlp.fc1.weight",
        "decoder.up_blocks.7.resnets.0.conv1.weight",
        "decoder.layers.0.weight",
        "encoder.conv_in.weight",
        "input_blocks.0.0.weight",
        "first_stage_model.decoder.conv_in.weight",
        "v_pred",
    ];

    private readonly string _diffusers,
        _plain,
        _vae;
    private readonly List<Part> _parts = [];
    private readonly AtelierOptions _options;
    private string _damaged = "";
    private Part? _last;

    public ModelFolderTarget()
    {
        _options = new AtelierOptions { Backend = StormDevice.Cpu.Create(), CacheFolder = Folder.Cache };
        (_diffusers, _plain, _vae) = (Folder.Place("diffusers"), Folder.Place("plain"), Folder.Place("vae"));
        IReadOnlyDictionary<string, RawCheckpoint> parts = SplitModel.Parts();
        SplitModel.WriteDescriptions(_diffusers);
        foreach ((string part, RawCheckpoint tensors) in parts)
        {
            if (part == "unet") SplitModel.WriteShards(_diffusers, part, tensors, Shards);
            else Write(tensors, Path.Combine(_diffusers, SplitModel.FileOf(part)));
            Write(tensors, Path.Combine(_plain, $"{part}.safetensors"));
        }

        Write(parts["vae"], Path.Combine(_vae, "vae.safetensors"));
        foreach (string folder in (string[])[_diffusers, _plain, _vae])
            _parts.AddRange(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                .Select(path => Part.Of(folder, path)));
        foreach (Part part in _parts) part.Write();
    }

    private AtelierOptions OtherVae => _options with { VaeFile = Path.Combine(_vae, "vae.safetensors") };

    public override byte[] Prepare(Random random, int index)
    {
        _last?.Write();
        _last = _parts[random.Next(_parts.Count)];
        _damaged = _last.Folder;
        if (index == 0) return _last.Content;
        if (random.Next(40) == 0)
        {
            File.Delete(_last.Path);
            return [];
        }

        byte[] content = _last.IsText ? JsonFuzz.Damage(random, _last.Content) : Header(random, _last);
        long data = random.Next(30) == 0 ? random.NextInt64(_last.DataBytes + 1) : _last.DataBytes;
        Part.Write(_last.Path, content, data);
        return content;
    }

    public override void Read()
    {
        if (_damaged == _vae)
        {
            Atelier.Plan(StormFolder.Model, OtherVae, Request);
            return;
        }

        PredictionMarks.FindBeside(_damaged);
        Atelier.Plan(_damaged, _options, Request);
    }

    public override Task UseAsync()
    {
        if (_damaged == _vae)
            OtherVae.OpenPackage(StormFolder.Model, null, CancellationToken.None).Dispose();
        else CheckpointExporter.Export(_damaged, Folder.Place("package"), new ExportOptions());
        return Task.CompletedTask;
    }

    private static byte[] Header(Random random, Part part)
    {
        byte[] json = part.Content[PrefixBytes..];
        byte[] header = random.Next(2) == 0 ? JsonFuzz.Damage(random, json) : SafetensorsFuzz.Rearrange(random, json, Names);
        return [.. SafetensorsFuzz.Prefix(header.Length), .. header];
    }

    private static void Write(RawCheckpoint tensors, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        tensors.Write(path);
    }

    // A file of a model: a text as a whole, or the header of tensors.
    private sealed record Part(string Folder, string Path, bool IsText, byte[] Content, long DataBytes)
    {
        public static Part Of(string folder, string path)
        {
            byte[] bytes = File.ReadAllBytes(path);
            if (path.EndsWith(".json", StringComparison.Ordinal)) return new Part(folder, path, true, bytes, 0);
            int end = PrefixBytes + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            return new Part(folder, path, false, bytes[..end], bytes.Length - end);
        }

        public void Write() => Write(Path, Content, DataBytes);

        public static void Write(string path, byte[] content, long dataBytes)
        {
            using FileStream stream = File.Create(path);
            stream.Write(content);
            stream.SetLength(content.Length + dataBytes);
        }
    }
}
