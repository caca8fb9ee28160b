using MuseAtelier.Packages;

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
            foreach (PlacedWeight placed in layout.Weights)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!writers.TryGetValue(placed.File, out PackedFileWriter? writer))
                {
                    writer = new PackedFileWriter(folder, placed.File, written);
                    writers[placed.File] = writer;
                }

                writer.PadTo(placed.Offset);
                transfer.Write(placed.Weight, layout.Spec.Name, writer, cancellationToken);
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
