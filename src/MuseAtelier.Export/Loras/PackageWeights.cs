using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>The weights of a package and the changes that LoRAs make to them. Thread-safe.</summary>
/// <param name="manifest">The package.</param>
/// <param name="changes">The changes by the names of the checkpoint's tensors, in the order in which they are made.</param>
internal sealed class PackageWeights(PackageManifest manifest, IReadOnlyDictionary<string, List<LoraChange>> changes)
{
    /// <summary>The changes of a weight, in the order in which they are made.</summary>
    public List<SliceChange> ChangesOf(WeightSpec weight)
    {
        List<SliceChange> found = [];
        foreach (TensorSlice slice in weight.Slices)
        {
            if (!changes.TryGetValue(slice.Key, out List<LoraChange>? list)) continue;
            foreach (LoraChange change in list)
            {
                bool isWhole = change.Target.IsTransposed || weight.Layout == WeightLayout.Transposed;
                var sliced = new SliceChange(change, slice, isWhole);
                if (sliced.FirstRow < sliced.EndRow) found.Add(sliced);
            }
        }

        return found;
    }

    /// <summary>The other weights that hold rows of a target, so that all of them together hold each of its rows once.</summary>
    /// <param name="weight">The weight whose rows are known.</param>
    /// <param name="target">The target.</param>
    public IEnumerable<WeightSpec> Others(WeightSpec weight, LoraTarget target)
    {
        TensorSlice own = weight.Slices[0];
        if (own.FirstRow <= target.FirstRow && own.FirstRow + own.Rows >= target.FirstRow + target.Rows) yield break;
        HashSet<long> known = [own.FirstRow];
        foreach (WeightSpec other in All())
        {
            if (other.Slices is not [var slice] || slice.Key != target.Key) continue;
            bool isWithin = slice.FirstRow < target.FirstRow + target.Rows && slice.FirstRow + slice.Rows > target.FirstRow;
            if (isWithin && known.Add(slice.FirstRow)) yield return other;
        }
    }

    /// <summary>The bytes of a weight, from the package's file.</summary>
    /// <exception cref="PackageException">The file cannot be read.</exception>
    public byte[] Read(WeightSpec weight)
    {
        string folder = manifest.Folder ?? throw new InvalidOperationException("The manifest was not read from a folder.");
        byte[] bytes = new byte[weight.Bytes];
        try
        {
            using FileStream file = new(
                manifest.PathOf(folder, weight.File), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            file.Position = weight.Offset;
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (EndOfStreamException)
        {
            throw new PackageFileDamagedException(folder, weight.File, "it ends before its last weight", "the file's full length");
        }
        catch (FileNotFoundException)
        {
            throw new PackageFileMissingException(folder, weight.File);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PackageUnreadableException(folder, exception);
        }
    }

    private IEnumerable<WeightSpec> All() => manifest.Components.SelectMany(component => component.Stages)
        .SelectMany(stage => stage.Weights.Concat(stage.Constants));
}
