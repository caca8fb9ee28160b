using MuseAtelier.Export.Storage;

namespace MuseAtelier.Export;

/// <summary>
/// Where an export goes: a folder that a user names. What lies there is replaced only where it is a package that nothing uses.
/// </summary>
internal class ExportPlace
{
    /// <summary>A folder.</summary>
    /// <param name="folder">Its path; relative ones start at the working folder.</param>
    public ExportPlace(string folder) => Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <summary>Full path of the folder.</summary>
    public string Folder { get; }

    /// <summary>Refuses a folder that must not be replaced.</summary>
    /// <exception cref="ExportFolderException">It holds something that is not a package, or a package in use.</exception>
    public virtual void RequireFree() => ExportFolderException.ThrowIfOccupied(Folder);

    /// <summary>Removes what killed exports to this folder left beside it.</summary>
    public virtual void ClearLeftovers() => Leftovers.Clear(Path.GetDirectoryName(Folder) ?? Folder, Folder);

    /// <summary>Moves the finished package to its place.</summary>
    public virtual void Publish(PartialFolder partial)
    {
        RequireFree();
        partial.Publish(keep: _ => false);
    }
}

/// <summary>A folder in the cache: a current package of another process is kept, and anything else there is rubbish.</summary>
/// <param name="folder">Its path.</param>
/// <param name="isCurrent">Whether a folder holds a complete package of that key.</param>
internal sealed class CachePlace(string folder, Func<string, bool> isCurrent) : ExportPlace(folder)
{
    /// <inheritdoc/>
    public override void RequireFree()
    {
    }

    /// <inheritdoc/>
    public override void ClearLeftovers() => Leftovers.Clear(Path.GetDirectoryName(Folder)!);

    /// <inheritdoc/>
    public override void Publish(PartialFolder partial)
    {
        SharedRights.Apply(partial.Path, Path.GetDirectoryName(Folder)!);
        partial.Publish(isCurrent);
    }
}
