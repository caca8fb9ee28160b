using MuseAtelier.Export.Embeddings;
using MuseAtelier.Storms.Running;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damaged embeddings: safetensors, and both formats of PyTorch.</summary>
internal sealed class EmbeddingTarget : FuzzTarget
{
    private const int Vectors = 3,
        Width = 64;

    private static readonly string[] Names = ["clip_l", "clip_g", "emb_params", "string_to_param.*", "<token>", "text_encoders.clip_l"];

    private readonly TorchFuzz[] _torch;
    private readonly byte[] _safetensors;
    private readonly string _folder;
    private string _path = "";

    public EmbeddingTarget()
    {
        _folder = Directory.CreateDirectory(Folder.Place("embeddings")).FullName;
        var random = new Random(5);
        float[] Numbers() => [.. Enumerable.Range(0, Vectors * Width).Select(_ => ((float)random.NextDouble() * 0.1f) - 0.05f)];
        RawCheckpoint sound = EmbeddingWriter.Tensors(Numbers(), Numbers(), Vectors),
            old = new();
        old.SetSingles("*", Numbers(), Vectors, Width);
        string path = Folder.Place("sound");
        _safetensors = File.ReadAllBytes(sound.Write(path));
        _torch = [TorchFuzz.Archive(sound, null), TorchFuzz.Legacy(path, sound, null), TorchFuzz.Archive(old, "string_to_param")];
    }

    public override byte[] Prepare(Random random, int index)
    {
        int kind = index == 0 ? 0 : random.Next(_torch.Length + 1);
        File.Delete(_path.Length > 0 ? _path : Folder.Place("none"));
        _path = Path.Combine(_folder, "damaged" + (kind == 0 ? ".safetensors" : random.Next(2) == 0 ? ".pt" : ".bin"));
        if (kind > 0) return _torch[kind - 1].Write(random, _path);
        byte[] input = index == 0 ? _safetensors : SafetensorsFuzz.Damage(random, _safetensors, Names);
        File.WriteAllBytes(_path, input);
        return input;
    }

    public override void Read()
    {
        EmbeddingFile.Inspect(_path);
        EmbeddingFile.Read(_path);
    }

    public override async Task UseAsync()
    {
        var options = new AtelierOptions
        {
            Backend = StormDevice.Cpu.Create(),
            CacheFolder = Folder.Cache,
            EmbeddingFolders = [_folder],
        };
        await using Atelier atelier = await Atelier.OpenAsync(StormFolder.Miniature, options);
        await atelier.GenerateAsync(new PictureRequest { Prompt = "a lake, damaged", Width = 256, Height = 256, Steps = 1 });
    }
}
