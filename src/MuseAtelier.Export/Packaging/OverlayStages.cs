using System.Globalization;
using Google.Protobuf;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Packaging;

/// <summary>
/// Writes the stages of an overlay. Stages that share weights or a graph in the base share their replacements too.
/// </summary>
/// <param name="basis">The base's folder.</param>
/// <param name="manifest">The base's manifest.</param>
/// <param name="folder">The folder that receives the files.</param>
/// <param name="changes">The changed weights.</param>
/// <param name="cancellationToken">Cancels within a few MiB.</param>
internal sealed class OverlayStages(
    string basis, PackageManifest manifest, string folder, IChangedWeights changes, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>The largest graph that is rewritten, in bytes. SDXL's largest has less than 1 MB.</summary>
    private const int MostGraphBytes = 64 << 20;

    private const int CopyBytes = 4 << 20;

    private readonly List<OverlayStage> _stages = [];
    private readonly List<FileSpec> _files = [];
    private readonly Dictionary<string, PackedFileWriter> _writers = [];
    private readonly Dictionary<WeightRange, WeightRange> _packed = [];
    private readonly Dictionary<string, StageSpec> _graphs = [];
    private readonly byte[] _buffer = new byte[CopyBytes];

    /// <summary>The replaced stages, in the order of the base.</summary>
    public IReadOnlyList<OverlayStage> Stages => _stages;

    /// <summary>The files written.</summary>
    public IReadOnlyList<FileSpec> Files => _files;

    /// <summary>Writes every stage that has a weight made of a changed tensor.</summary>
    public void Write()
    {
        foreach (ComponentSpec component in manifest.Components)
        {
            foreach (StageSpec stage in component.Stages)
            {
                if (stage.Weights.Any(changes.IsChanged))
                    _stages.Add(new OverlayStage(component.Name, Pack(component.Name, stage)));
                else if (stage.Constants.Any(changes.IsChanged))
                    _stages.Add(new OverlayStage(component.Name, Rewrite(component.Name, stage)));
            }
        }

        // The files must be closed, because Windows cannot rename a folder in which a file is open.
        foreach (PackedFileWriter writer in _writers.Values)
        {
            _files.Add(writer.Finish());
            writer.Dispose();
        }

        _writers.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PackedFileWriter writer in _writers.Values) writer.Dispose();
    }

    // The weights of a stage keep their distances, so that a stage of an overlay has the size of the base's.
    private StageSpec Pack(string component, StageSpec stage)
    {
        WeightRange from = stage.WeightRange!.Value;
        string file = $"weights/{component}-overlay.weights";
        if (!_packed.TryGetValue(from, out WeightRange to))
        {
            // The file's real size bounds the gaps between its weights, and so the overlay's size.
            RequireFile(from.File);
            PackedFileWriter writer = Writer(file);
            to = new WeightRange(file, PackageAlignment.OfStage(writer.Position), from.Length);
            foreach (WeightSpec weight in stage.Weights)
            {
                writer.PadTo(to.Offset + weight.Offset - from.Offset);
                Write(component, weight, writer);
            }

            _packed[from] = to;
        }

        List<WeightSpec> weights =
            [.. stage.Weights.Select(weight => weight with { File = to.File, Offset = to.Offset + weight.Offset - from.Offset })];
        return stage with { Weights = weights };
    }

    // A convolution's graph names the place of its constants, so the stage gets a graph of its own beside constants of its own.
    private StageSpec Rewrite(string component, StageSpec stage)
    {
        if (_graphs.TryGetValue(stage.Graph, out StageSpec? known))
            return stage with { Graph = known.Graph, Constants = known.Constants };
        string constantFile = $"{component}-overlay.constants";
        PackedFileWriter writer = Writer($"graphs/{constantFile}");
        var constants = new List<WeightSpec>();
        foreach (WeightSpec constant in stage.Constants)
        {
            WeightSpec moved = constant with { File = $"graphs/{constantFile}", Offset = PackageAlignment.OfStage(writer.Position) };
            writer.PadTo(moved.Offset);
            Write(component, constant, writer);
            constants.Add(moved);
        }

        string graph = Invariant($"graphs/{component}-overlay-{_graphs.Count:00}.onnx");
        using (var file = new PackedFileWriter(folder, graph, _ => { }))
        {
            file.Write(Graph(stage, constantFile, constants));
            _files.Add(file.Finish());
        }

        StageSpec rewritten = stage with { Graph = graph, Constants = constants };
        _graphs[stage.Graph] = rewritten;
        return rewritten;
    }

    private byte[] Graph(StageSpec stage, string constantFile, List<WeightSpec> constants)
    {
        string path = Path.Combine(basis, stage.Graph);
        FileSpec file = RequireFile(stage.Graph);
        if (file.Bytes > MostGraphBytes) throw Unusable(stage, "is larger than any graph");
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new PackageFileDamagedException(basis, stage.Graph, exception.Message.TrimEnd('.'), "an ONNX graph");
        }

        Dictionary<string, WeightSpec> byName = constants.ToDictionary(constant => constant.Graph);
        foreach (TensorProto tensor in model.Graph?.Initializer ?? [])
        {
            if (tensor.DataLocation != TensorProto.Types.DataLocation.External) continue;
            if (!byName.Remove(tensor.Name, out WeightSpec? constant)) throw Unusable(stage, $"has a constant more: {tensor.Name}");
            tensor.ExternalData.Clear();
            tensor.ExternalData.Add(Entry("location", constantFile));
            tensor.ExternalData.Add(Entry("offset", constant.Offset.ToString(CultureInfo.InvariantCulture)));
            tensor.ExternalData.Add(Entry("length", constant.Bytes.ToString(CultureInfo.InvariantCulture)));
        }

        return byName.Count == 0 ? model.ToByteArray() : throw Unusable(stage, $"lacks the constant {byName.Keys.First()}");

        static StringStringEntryProto Entry(string key, string value) => new() { Key = key, Value = value };
    }

    // A weight of a replaced stage is computed if one of its tensors is changed, else copied from the base.
    private void Write(string component, WeightSpec weight, PackedFileWriter writer)
    {
        if (changes.IsChanged(weight)) changes.Write(weight, component, writer.Write, cancellationToken);
        else Copy(weight.Range, writer);
    }

    private void Copy(WeightRange range, PackedFileWriter writer)
    {
        RequireFile(range.File);
        using FileStream from = new(Path.Combine(basis, range.File), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        from.Position = range.Offset;
        for (long left = range.Length; left > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<byte> part = _buffer.AsSpan(0, (int)Math.Min(left, CopyBytes));
            from.ReadExactly(part);
            writer.Write(part);
            left -= part.Length;
        }
    }

    private FileSpec RequireFile(string name)
    {
        FileSpec spec = manifest.Files.First(file => file.Name == name);
        var info = new FileInfo(Path.Combine(basis, name));
        if (!info.Exists) throw new PackageFileMissingException(basis, name);
        if (info.Length != spec.Bytes)
            throw new PackageFileDamagedException(basis, name, Invariant($"it has {info.Length} bytes"), Invariant($"{spec.Bytes} bytes"));
        return spec;
    }

    private PackedFileWriter Writer(string file)
    {
        if (_writers.TryGetValue(file, out PackedFileWriter? writer)) return writer;
        return _writers[file] = new PackedFileWriter(folder, file, _ => { });
    }

    private PackageManifestException Unusable(StageSpec stage, string fault) => new(basis, $"the graph {stage.Graph} of {basis} {fault}");
}
