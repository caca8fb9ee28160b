using MuseAtelier.Adapters;

namespace MuseAtelier.Pictures;

/// <summary>The files that may be LoRAs of a recorded picture. Each is read at most once.</summary>
/// <param name="folders">Folders in which names are looked up.</param>
/// <param name="paths">Files that are recognised by their digests.</param>
internal sealed class LoraSources(IReadOnlyList<string> folders, IReadOnlyList<string> paths)
{
    private readonly LoraFolder _folder = new(folders);
    private readonly Dictionary<string, string> _digests = new(StringComparer.Ordinal);

    /// <summary>The LoRAs with the paths of their files.</summary>
    /// <exception cref="SourceMismatchException">The file of that name has another digest.</exception>
    /// <exception cref="LoraMissingException">There is no such file, or it cannot be read.</exception>
    /// <exception cref="LoraFolderException">A folder cannot be read.</exception>
    public IReadOnlyList<PictureLora> ApplyTo(IReadOnlyList<PictureLora> loras) =>
        [.. loras.Select(lora => lora.IsReference ? lora with { Path = PathOf(lora), IsReference = false } : lora)];

    private string PathOf(PictureLora wanted)
    {
        foreach (string path in paths) if (DigestOf(path) == wanted.Sha256) return path;
        IReadOnlyList<LoraEntry> named = _folder.Matches(wanted.Name);
        foreach (LoraEntry entry in named) if (DigestOf(entry.Path) == wanted.Sha256) return entry.Path;
        string? other = named.Select(entry => entry.Path).LastOrDefault()
            ?? paths.FirstOrDefault(path => Path.GetFileNameWithoutExtension(path) == wanted.Name);
        if (other is not null) throw SourceMismatchException.OfLora(other, wanted.Name, wanted.Sha256!, DigestOf(other));
        throw new LoraMissingException(wanted.Name, wanted.Sha256!);
    }

    private string DigestOf(string path)
    {
        if (_digests.TryGetValue(path, out string? known)) return known;
        try
        {
            return _digests[path] = LoraFolder.DigestOf(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new LoraMissingException(path, exception);
        }
    }
}
