using MuseAtelier.Export.Storage;

namespace MuseAtelier.Export;

/// <summary>
/// The destination of an export: a folder that a user names. Existing content is replaced only where it is a package that is not in use.
/// </summary>
internal class ExportPlace
{
    /// <summary>Creates the destination for a folder.</summary>
    /// <param name="folder">The folder's path. A relative path starts at the working folder.</param>
    public ExportPlace(string folder) => Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <summary>Full path of the folder.</summary>
    public string Folder { get; }

    /// <summary>Requires that the folder may be replaced.</summary>
    /// <exception cref="ExportFolderException">The folder holds something that is not a package, or a package in use.</exception>
    public virtual void RequireFree() => ExportFolderException.ThrowIfOccupied(Folder);

    /// <summary>Deletes leftovers of killed exports to this folder, which lie beside it.</summary>
    public virtual void ClearLeftovers() => Leftovers.Clear(Path.GetDirectoryName(Folder) ?? Folder, Folder);

    /// <summary>Moves the finished package to the folder.</summary>
    public virtual void Publish(PartialFolder partial)
    {
        RequireFree();
        partial.Publish(keep: _ => false);
    }
}

/// <summary>A folder in the cache. A current package that another process wrote is kept; any other content is deleted.</summary>
/// <param name="folder">The folder's path.</param>
/// <param name="isCurrent">Tells whether a folder holds a complete package for the same key.</param>
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
