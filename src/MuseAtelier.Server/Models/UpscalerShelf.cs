namespace MuseAtelier.Server.Models;

/// <summary>
/// The ways to enlarge a picture between two passes: the built-in ones, and the models of a folder that the server's owner names. A client
/// chooses one by its name, never by a path.
/// </summary>
/// <param name="options">The folder.</param>
internal sealed class UpscalerShelf(ServerOptions options)
{
    private const int MostModels = 256;

    private static readonly string[] Extensions = [".safetensors", ".pth"];

    /// <summary>All of them at this moment, the built-in ones first.</summary>
    public IReadOnlyList<NamedUpscaler> All =>
        [.. HiresUpscaler.BuiltIn.Select(upscaler => new NamedUpscaler(upscaler.Id, upscaler)), .. Models()];

    /// <summary>One by its name in any case; null if there is none.</summary>
    public HiresUpscaler? Find(string name) =>
        All.FirstOrDefault(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.Upscaler;

    /// <summary>The name by which clients choose one.</summary>
    public static string NameOf(HiresUpscaler upscaler) =>
        upscaler.Path is { } path ? Path.GetFileNameWithoutExtension(path) : upscaler.Id;

    private IEnumerable<NamedUpscaler> Models()
    {
        if (options.Upscalers is not { } folder || !Directory.Exists(folder)) return [];
        var files = new EnumerationOptions
        {
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.Hidden | FileAttributes.System | FileAttributes.Directory,
        };
        try
        {
            return [.. Directory.EnumerateFiles(folder, "*", files)
                .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal)
                .DistinctBy(Path.GetFileNameWithoutExtension, StringComparer.OrdinalIgnoreCase)
                .Take(MostModels)
                .Select(file => new NamedUpscaler(Path.GetFileNameWithoutExtension(file), HiresUpscaler.Model(file)))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}

/// <summary>A way to enlarge a picture, by its name.</summary>
/// <param name="Name">The built-in name, or the name of the model's file without its extension.</param>
/// <param name="Upscaler">The way.</param>
internal sealed record NamedUpscaler(string Name, HiresUpscaler Upscaler)
{
    /// <summary>Whether it is a model.</summary>
    public bool IsModel => Upscaler.Path is not null;
}
