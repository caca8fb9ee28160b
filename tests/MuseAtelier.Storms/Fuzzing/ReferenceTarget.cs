using System.Buffers.Binary;
using MuseAtelier.Checking;
using MuseAtelier.Format;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Files of reference values with a damaged header or damaged notes.</summary>
internal sealed class ReferenceTarget : FuzzTarget
{
    private const int PrefixBytes = 8;

    private static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "miniature.golden.safetensors");

    private readonly byte[] _values = File.ReadAllBytes(Golden),
        _notes = File.ReadAllBytes(Path.ChangeExtension(Golden, ".json"));
    private readonly byte[] _header;
    private readonly string _path;
    private readonly ModelSpec _model;
    private readonly AtelierOptions _options;

    public ReferenceTarget()
    {
        _path = Folder.Place("values.safetensors");
        _header = _values[PrefixBytes..(PrefixBytes + (int)BinaryPrimitives.ReadInt64LittleEndian(_values))];
        _options = new AtelierOptions { Backend = StormDevice.Cpu.Create(), CacheFolder = Folder.Cache };
        using ModelPackage package = _options.OpenPackage(StormFolder.Miniature, null, CancellationToken.None);
        _model = package.Manifest.Model;
    }

    public override byte[] Prepare(Random random, int index)
    {
        bool inNotes = random.Next(3) == 0;
        byte[] header = index == 0 || inNotes ? _header : JsonFuzz.Damage(random, _header),
            notes = index > 0 && inNotes ? JsonFuzz.Damage(random, _notes) : _notes;
        byte[] prefix = new byte[PrefixBytes];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        using (FileStream stream = File.Create(_path))
        {
            stream.Write(prefix);
            stream.Write(header);
            stream.Write(_values.AsSpan(PrefixBytes + _header.Length));
        }

        File.WriteAllBytes(Path.ChangeExtension(_path, ".json"), notes);
        return inNotes ? notes : header;
    }

    public override void Read()
    {
        using ReferenceValues values = ReferenceValues.Open(_path);
        new ReferenceRules(values, _model).Check();
        foreach (TextCase text in values.Texts())
            _ = text.IdsL.Length;
        foreach (UNetCase call in values.UNetCalls())
            values.Floats(call.Noise);
        foreach ((string first, string second) in values.Decodings().Concat(values.Encodings()))
            _ = values.Floats(first).Length + values.Floats(second).Length;
        if (values.Run() is not null)
            values.Floats("run.x0");
    }

    public override Task UseAsync() => ReferenceCheck.RunAsync(StormFolder.Miniature, _path, _options);
}
