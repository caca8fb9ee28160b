using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>Writes components into a folder. Each file is written once, from its beginning to its end.</summary>
internal sealed class PackageWriter(string folder, WeightTransfer transfer, Action<long> written, CancellationToken cancellationToken)
{
    private readonly List<FileSpec> _files = [];

    public IReadOnlyList<FileSpec> Files => _files;

    public void Write(ComponentLayout layout)
    {
        var writers = new Dictionary<string, PackedFileWriter>();
        try
        {
            foreach (WeightSpec weight in layout.Weights)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!writers.TryGetValue(weight.File, out PackedFileWriter? writer))
                {
                    writer = new PackedFileWriter(folder, weight.File, written);
                    writers[weight.File] = writer;
                }

                writer.PadTo(weight.Offset);
                transfer.Write(weight, layout.Spec.Name, writer.Write, cancellationToken);
            }

            foreach (PackedFileWriter writer in writers.Values) _files.Add(writer.Finish());
        }
        finally
        {
            foreach (PackedFileWriter writer in writers.Values) writer.Dispose();
        }

        foreach ((string name, byte[] model) in layout.Graphs)
        {
            using var file = new PackedFileWriter(folder, name, _ => { });
            file.Write(model);
            _files.Add(file.Finish());
        }
    }
}
